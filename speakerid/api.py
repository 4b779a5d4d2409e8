"""The REST API, `python -m speakerid serve` and, under /api, in the app: a thin door to `speakerid.rest`."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from speakerid import network
from speakerid.gallery import Gallery
from speakerid.model import Encoder
from speakerid.rest.app import application
from speakerid.rest.routes.live import MAX_MESSAGE
from speakerid.rest.service import Service


class Server(uvicorn.Server):
    """The web server; Ctrl-C ends it within two seconds, whoever is connected."""

    def __init__(self, service: Service, token: str = "", *, local: bool = True):
        """Serve a gallery.

        Args:
            token: that opens everything; "" for none.
            local: whether it listens on this computer only.
        """
        network.protect()
        config = uvicorn.Config(
            application(service, token, local=local),
            http="h11",
            backlog=128,  # asyncio accepts so many at once, before anything can be refused
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


class Mounted:
    """The API inside another application; the model is loaded with the first request."""

    def __init__(self, gallery: Callable[[], Gallery], encoder: Callable[[], Encoder], *, local: bool):
        self._gallery, self._encoder, self._local = gallery, encoder, local
        self._app: ASGIApp | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        async with self._lock:
            if self._app is None:
                gallery = await asyncio.to_thread(self._gallery)
                encoder = await asyncio.to_thread(self._encoder)
                self._app = application(Service(gallery, encoder), "", local=self._local)
        await self._app(scope, receive, send)
