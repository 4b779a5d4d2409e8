"""The REST API's room: from requests to the gallery, the Listener and the Engine, and back as JSON.

service    what all requests share            people      who is enrolled
guard      who is let in, and what must not   recordings  identify, embed
           happen to them: a traceback        listen      the live WebSocket
refusals   what goes wrong, as an answer      uploads     bodies of requests
workers    threads for what takes long

Import from the modules; this file loads none of them. `speakerid.api` is the door.
"""
