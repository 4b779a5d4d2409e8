"""The Evaluate page: how well the people enrolled here can be told apart, by leaving one recording out.

Streamlit keys, for tests: evaluate-verdict, evaluate-threshold (slider), evaluate-cost, evaluate-apply
(button), evaluate-people, evaluate-matrix,
evaluate-det, evaluate-too-little.
"""

from speakerid.dashboard.evaluate import page as evaluate_page
from speakerid.dashboard.shared import widgets

widgets.page("Evaluate", lead="How well the people enrolled here can be told apart.")
evaluate_page.draw()
