"""Five short scripts to read from top to bottom, and to begin one's own from; each is run by a test.

python -m speakerid.examples.enroll_and_identify NAME RECORDING OTHER
python -m speakerid.examples.live_microphone
python -m speakerid.examples.compare_two_voices ONE OTHER
python -m speakerid.examples.your_error_rate FOLDER
python -m speakerid.examples.api_client RECORDING
"""
