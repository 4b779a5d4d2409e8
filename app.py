"""The app, and its home page: `streamlit run app.py`.

Streamlit's server imports this file to find `app`, and runs it as a script to draw the home page.
"""

import streamlit as st

if __name__ != "__main__":  # imported by the server
    from speakerid.dashboard.server import lifespan, routes

    app = st.App(__file__, routes=routes, lifespan=lifespan)
else:
    from speakerid.dashboard import home

    home.draw()
