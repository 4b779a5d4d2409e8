"""Who is let in, around everything else; and the last net, so that nobody is ever sent a traceback."""

import hmac
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from speakerid.hosts import same_origin, this_computer
from speakerid.rest.refusals import Refusal, answer, unexpected

# Kept by no cache, used by no page of another site, taken for nothing but what it says it is.
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """ASGI middleware.

    A browser lets pages of any site send requests to this computer. It tells their origin with all that could
    change something, and where a site has its name lead to 127.0.0.1, it tells that name as Host.

    Args:
        token: that every request has to bring; "" for none.
        local: whether the server listens on this computer only.
    """

    def __init__(self, app: ASGIApp, token: str, local: bool):
        self._app, self._token, self._local = app, token.encode(), local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or open a WebSocket."""
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            started = started or message["type"] in ("http.response.start", "websocket.accept")
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            self._let_in(Headers(scope=scope))
        except Refusal as refusal:
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

    def _let_in(self, headers: Headers) -> None:
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
        if self._token and not self._knows_token(headers):
            raise Refusal(
                HTTPStatus.UNAUTHORIZED,
                "The token is missing or wrong: send the header “Authorization: Bearer TOKEN” with what "
                "SPEAKERID_API_TOKEN is set to where the server runs.",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _knows_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("latin-1"), self._token)
        return right and scheme.lower() == "bearer"


def _name_in(host: str) -> str:
    """The name in a Host header, without the port; "" where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
