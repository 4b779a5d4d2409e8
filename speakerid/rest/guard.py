"""Who is let in, around everything else; and the last net, so that nobody is ever sent a traceback."""

import asyncio
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from speakerid.errors import SpeakerIdError
from speakerid.hosts import same_origin, this_computer
from speakerid.rest.access import Access
from speakerid.rest.metrics import Metrics
from speakerid.rest.refusals import Refusal, answer, unexpected

# Kept by no cache, used by no page of another site, taken for nothing but what it says it is.
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

# How to ask holds no secret, and a browser that shows it has no token yet.
_OPEN = {"/docs", "/openapi.json"} | {
    f"/static-offline-docs/{n}" for n in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
}


class Guard:
    """ASGI middleware.

    A browser lets pages of any site send requests to this computer. It tells their origin with all that could
    change something, and where a site has its name lead to 127.0.0.1, it tells that name as Host.

    Args:
        access: who is let in.
        local: whether the server listens on this computer only.
    """

    def __init__(self, app: ASGIApp, access: Access, metrics: Metrics, local: bool):
        self._app, self._access, self._metrics, self._local = app, access, metrics, local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or open a WebSocket."""
        started, began, told = False, time.monotonic(), {}

        async def send_guarded(message: Message) -> None:
            nonlocal started
            started = started or message["type"] in ("http.response.start", "websocket.accept")
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).update({**_HEADERS, **told})
                self._metrics.answered(message["status"], time.monotonic() - began)
            await send(message)

        try:
            headers = Headers(scope=scope)
            self._check(headers)
            if scope["path"].removeprefix(scope.get("root_path", "")) not in _OPEN:
                caller = await asyncio.to_thread(self._access.caller, headers)  # it reads the database
                scope.setdefault("state", {})["caller"] = caller
                told = self._access.spend(caller)
        except SpeakerIdError as error:
            refusal = error
            if not isinstance(error, Refusal):  # the keys cannot be read: nobody is let in
                refusal = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
            await answer(refusal)(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, receive, send_guarded)
        except ClientDisconnect:  # nobody is left to be answered
            return
        except Exception as error:
            refusal = unexpected(error)
            if not started:
                await answer(refusal)(scope, receive, send_guarded)
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011})

    def _check(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if self._local and not this_computer(_name_in(host)):
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "This server is for this computer only and was addressed by another name: use "
                "http://127.0.0.1 or http://localhost, with its port.",
            )
        origin = headers.get("origin")
        if origin is not None and not same_origin(origin, host):
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "This request comes from a web page of another site, which may not use this API: send it "
                "from a program, or from that site's own server.",
            )


def _name_in(host: str) -> str:
    """The name in a Host header, without the port; "" where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
