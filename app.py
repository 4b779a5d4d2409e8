"""The app, and its home page: `streamlit run app.py`.

Streamlit's server imports this file to find `app`, and runs it as a script to draw the home page.
"""

import streamlit as st

if __name__ != "__main__":  # imported by the server
    from speakerid import settings
    from speakerid.dashboard.server import lifespan, routes

    if settings.API.value == "1":
        from starlette.routing import Mount

        from speakerid.api import Mounted
        from speakerid.dashboard.shared import access, resources

        local = access.for_this_computer()
        api = Mounted(resources.gallery, resources.encoder, local=local)
        routes.append(Mount("/api", api))
    app = st.App(__file__, routes=routes, lifespan=lifespan)
else:
    from speakerid.dashboard import home

    home.draw()
