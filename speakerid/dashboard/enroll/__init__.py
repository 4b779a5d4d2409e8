"""The Enroll page."""
