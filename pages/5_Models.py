"""The Models page: which models are here, which is in use, and another one.

Streamlit keys, for tests: model-NAME (container of a model; what is no letter or digit is a hyphen), in it
use-NAME and remove-NAME (buttons); models-installing (container with the progress), models-other (text
input), models-add (button), models-people (container), models-reembed (button).
"""

from speakerid.dashboard.models import page as models_page
from speakerid.dashboard.shared import widgets

widgets.page("Models", lead="Which network turns voices into numbers, and which others there are.")
models_page.draw()
