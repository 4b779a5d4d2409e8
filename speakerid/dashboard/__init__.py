"""The pages: a folder each, and `shared/` for what several of them need. No Streamlit at import."""
