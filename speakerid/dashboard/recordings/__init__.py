"""The Recordings page."""
