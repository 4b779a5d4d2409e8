"""What the pages share: figures, colours, widgets, and the wiring of a live session. No Streamlit at import."""
