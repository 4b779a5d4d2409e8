"""The Evaluate page: how well the people enrolled here can be told apart, by leaving one recording out.

Streamlit keys, for tests: evaluate-verdict, evaluate-threshold (slider), evaluate-cost, evaluate-matrix,
evaluate-det, evaluate-too-little.
"""

from speakerid.dashboard import evaluate_page, widgets

widgets.page("Evaluate", lead="How well the people enrolled here can be told apart.")
evaluate_page.draw()
