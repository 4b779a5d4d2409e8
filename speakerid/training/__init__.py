"""The recipe that makes the bundled weights, their cohort, calibration and gender head.

Each step is a command of `python -m speakerid.training`; its README lists them in order.
"""
