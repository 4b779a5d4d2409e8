"""What the pages share: figures, colors, widgets, and the wiring of a live session; no Streamlit at import."""
