"""The REST API's room: from requests to the gallery, the Listener and the Engine, and back as JSON.

app        the FastAPI application            routes/    what answers, a file a subject
guard      who is let in, and what must not   models     shapes of answers, for OpenAPI
           happen to them: a traceback        deps       what routes ask for: service, caller
access     tokens, keys, roles, rates         service    what all requests share
refusals   what goes wrong, as an answer      uploads    bodies of requests
workers    threads for what takes long        jobs       long recordings, beside their requests
metrics    counters for Prometheus

Import from the modules; this file loads none of them. `speakerid.api` is the door.
"""
