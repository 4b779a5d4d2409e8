"""The REST API, `python -m speakerid serve`: a thin door to the room `speakerid.rest`."""

import socket
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from speakerid import __version__
from speakerid.errors import SpeakerIdError
from speakerid.rest import people, recordings, refusals
from speakerid.rest.guard import Guard
from speakerid.rest.listen import MAX_MESSAGE, listen
from speakerid.rest.service import Service, service_of

Endpoint = Callable[[Request], Awaitable[Response]]

ENDPOINTS: dict[str, tuple[Endpoint, str]] = {
    "GET /v1/speakers": (people.speakers, "who is enrolled"),
    "POST /v1/speakers/{name}": (people.enroll, "enroll from a form: files, consent=true, keep_recordings"),
    "PATCH /v1/speakers/{name}": (people.rename, 'rename: {"name": new}'),
    "DELETE /v1/speakers/{name}": (people.remove, "delete everything stored of a person"),
    "POST /v1/identify": (recordings.identify, "who speaks when in a recording; ?decisions=true for more"),
    "POST /v1/embed": (recordings.embed, "the embedding of a recording"),
}
"""Method and path -> what answers, and what it does. / and /v1/health tell of the API itself."""

_LIVE = "/v1/listen"


class Server(uvicorn.Server):
    """The web server; Ctrl-C ends it within two seconds, whoever is connected."""

    def __init__(self, service: Service, token: str = "", *, local: bool = True):
        """Serve a gallery.

        Args:
            token: that every request has to bring; "" for none.
            local: whether it listens on this computer only.
        """
        config = uvicorn.Config(
            application(service, token, local=local),
            log_config=None,
            log_level="warning",
            access_log=False,  # addresses hold names
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            ws_max_size=MAX_MESSAGE,
            ws_ping_timeout=300,  # where sound comes faster than it is heard, pongs wait behind it
        )
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell everybody who waits, before uvicorn waits for them."""
        self._service.end()
        await super().shutdown(sockets)


def application(service: Service, token: str, *, local: bool) -> Starlette:
    """The API as an ASGI application; arguments as of `Server`."""
    routes = [Route("/", index), Route("/v1/health", health), WebSocketRoute(_LIVE, listen)]
    for path, functions in _by_path().items():
        # A name may hold a slash.
        routes.append(Route(path.replace("{name}", "{name:path}"), _one_of(functions), methods=[*functions]))
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token, local=local)],
        exception_handlers={SpeakerIdError: refusals.refused, HTTPException: refusals.no_such_route},
    )
    app.state.service = service
    return app


def _by_path() -> dict[str, dict[str, Endpoint]]:
    """Path -> method -> what answers; one route a path, so that 405 tells all methods that there are."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for endpoint, (function, _) in ENDPOINTS.items():
        method, path = endpoint.split()
        paths.setdefault(path, {})[method] = function
    return paths


def _one_of(functions: dict[str, Endpoint]) -> Endpoint:
    async def answer(request: Request) -> Response:
        return await functions["GET" if request.method == "HEAD" else request.method](request)

    return answer


async def index(_: Request) -> Response:
    """GET /: what there is."""
    told = {
        "GET /v1/health": "the model, how many people, whether confidences are calibrated",
        **{endpoint: about for endpoint, (_, about) in ENDPOINTS.items()},
        f"WebSocket {_LIVE}": "live: send 16-bit mono PCM at 16 kHz (or ?rate=), get decisions; “end” ends",
    }
    return JSONResponse({"speakerid": __version__, "endpoints": told})


async def health(request: Request) -> Response:
    """GET /v1/health: whether it works, and with what."""
    service = service_of(request)
    count, calibrated = await service.quick.run(
        lambda _: (len(service.gallery.speakers()), service.calibrated)
    )
    return JSONResponse(
        {"version": __version__, "model": service.encoder.id, "people": count, "calibrated": calibrated}
    )
