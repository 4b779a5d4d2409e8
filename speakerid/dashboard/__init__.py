"""What the pages share: figures, colors, widgets, the wiring of a live session; no Streamlit at import."""
