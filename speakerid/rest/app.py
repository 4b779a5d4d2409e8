"""The FastAPI application: /openapi.json, /docs (offline, its files come with a package), and the routes."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.routing import WebSocketRoute

from speakerid import __version__
from speakerid.errors import SpeakerIdError
from speakerid.gallery.keys import Keys
from speakerid.rest import refusals
from speakerid.rest.access import BYTES_A_REQUEST, REQUESTS_A_MINUTE, Access
from speakerid.rest.deps import REFUSALS
from speakerid.rest.guard import Guard
from speakerid.rest.routes import about, jobs, recordings, speakers
from speakerid.rest.routes.live import listen
from speakerid.rest.service import Service
from speakerid.uploads import MAX_FILE_BYTES

_ABOUT = f"""Enroll voices, then learn who speaks when. What is refused says why: `{{"error": "…"}}`.

Where there are keys (`python -m speakerid keys`), send one: `Authorization: Bearer KEY`. By its role a key
may send {", ".join(f"{most} ({role})" for role, most in REQUESTS_A_MINUTE.items())} requests a minute;
the headers `RateLimit-Limit` and `RateLimit-Remaining` tell what is left, and `Upload-Limit` how many bytes
one may have: {", ".join(f"{most // 1_000_000} MB ({role})" for role, most in BYTES_A_REQUEST.items())}.
A recording may have {MAX_FILE_BYTES // 1_000_000} MB to enroll or embed, and four hours to identify.

Live: the WebSocket `/v1/listen` (16-bit mono PCM, `?rate=48000`, or Opus packets with `?codec=opus`).
A page offers its key as a subprotocol: `new WebSocket(url, ["speakerid", "key." + KEY])`."""


def application(service: Service, token: str, *, local: bool) -> FastAPI:
    """The API as an ASGI application.

    Args:
        token: that opens everything; "" for none.
        local: whether it is for this computer only, and needs no keys as long as there are none.
    """
    app = FastAPIOffline(
        title="speakerid",
        version=__version__,
        description=_ABOUT,
        redoc_url=None,
        redirect_slashes=False,
        responses=REFUSALS,
        swagger_ui_oauth2_redirect_url="/docs/oauth2-redirect",
    )
    app.add_middleware(
        Guard,
        access=Access(token, Keys(service.gallery.store), open=local),
        metrics=service.metrics,
        local=local,
    )
    app.add_exception_handler(SpeakerIdError, refusals.refused)
    app.add_exception_handler(HTTPException, refusals.no_such_route)
    app.add_exception_handler(RequestValidationError, refusals.not_valid)
    for routes in (about, speakers, recordings, jobs):
        app.include_router(routes.router)
    app.router.routes.append(WebSocketRoute("/v1/listen", listen))
    app.state.service = service
    return app
