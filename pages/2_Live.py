"""The Live page: who is speaking now, and everything about it, as it happens.

Streamlit keys, for tests: live-source, live-start, live-stop, live-again, live-webrtc, live-board, and inside
the board (or its fallback) now-speaking, confidence-bars, embedding-space, timeline, event-log, latency.
"""

from speakerid.dashboard.live import page as live_page
from speakerid.dashboard.shared import widgets

widgets.page("Live", title="")  # the board needs the height; the navigation says where one is
live_page.draw()
