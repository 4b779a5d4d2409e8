"""What the web server serves beside the pages: the live WebSocket, the log's downloads, and scripts.

`app.py` hands `routes` and `lifespan` to `st.App`. Streamlit applies no check to such routes, so each one
here makes its own: an unguessable token everywhere, and the Origin before a WebSocket is accepted.
"""

import asyncio
import gc
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from speakerid import network
from speakerid.dashboard.shared import assets, heard, uploads
from speakerid.dashboard.shared.channel import CHANNELS, Channel
from speakerid.hosts import same_origin

_LONGEST_MESSAGE = 4096  # characters; what a page sends is far shorter

_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})")
_LONGEST_STRETCH_S = 3600.0
# Never kept by a cache, never given to a page of another site.
_PRIVATE = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}

_serving = False


def serving() -> bool:
    """Whether this process serves the routes below (not in plain script mode, and not under test)."""
    return _serving


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Open the door with the server; close every live session with it, so that Ctrl-C ends at once."""
    global _serving
    network.protect()
    uploads.bound()
    _serving = True
    try:
        yield
    finally:
        _serving = False
        await asyncio.to_thread(_close_everything)


def _close_everything() -> None:
    CHANNELS.close_all()
    from speakerid.dashboard.shared import engine as live_engine

    live_engine.shutdown()
    # Python's last look for garbage among all that PyTorch has made takes more than half of the time that the
    # process needs to end; there is nothing to find that the end does not free.
    gc.freeze()


async def live_socket(socket: WebSocket) -> None:
    """Carry one session to one browser: its whole state first, then every change."""
    channel = CHANNELS.get(socket.path_params["token"])
    if channel is None or not same_origin(socket.headers.get("origin"), socket.headers.get("host")):
        await socket.close(code=1008)  # before accept: the browser sees a plain 403
        return
    await socket.accept()
    subscriber = channel.subscribe()

    async def send() -> None:
        while (text := await subscriber.next()) is not None:
            await socket.send_text(text)

    tasks = [asyncio.create_task(send()), asyncio.create_task(_receive(socket, channel))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        channel.unsubscribe(subscriber)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if socket.client_state.name == "CONNECTED" and socket.application_state.name == "CONNECTED":
            await socket.close(code=1001)


async def _receive(socket: WebSocket, channel: Channel) -> None:
    while True:
        try:
            text = await socket.receive_text()
        except (WebSocketDisconnect, KeyError):  # gone, or sent bytes, which no page of ours does
            return
        if len(text) > _LONGEST_MESSAGE:
            return
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(message, dict):
            channel.received(message)


async def live_state(request: Request) -> Response:
    """Tell whether a token is still good (404 as JSON when it is not).

    A page whose WebSocket failed asks with `?here`, and its session goes on until it polls instead.
    """
    channel = CHANNELS.get(request.path_params["token"])
    if channel is None:
        return JSONResponse({"error": "this live session has ended; reload the page"}, status_code=404)
    if "here" in request.query_params:
        channel.touch()
    return JSONResponse({"watching": channel.subscribers}, headers={"Cache-Control": "no-store"})


async def live_log(request: Request) -> Response:
    """Download the session's log in one of the formats that there are."""
    channel = CHANNELS.get(request.path_params["token"])
    made = channel.exports(request.path_params["format"]) if channel and channel.exports else None
    if made is None:
        return JSONResponse({"error": "there is no such log; reload the page"}, status_code=404)
    name, media_type, text = made
    headers = {
        **_PRIVATE,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(text, media_type=media_type, headers=headers)


async def live_sound(request: Request) -> Response:
    """What was kept of a session's sound, from and to milliseconds of it, to those who know its token."""
    channel = CHANNELS.get(request.path_params["token"])
    try:
        first, last = (float(request.query_params[name]) / 1000 for name in ("from", "to"))
    except (KeyError, ValueError):
        return JSONResponse({"error": "say from and to, in milliseconds"}, status_code=400)
    if not 0 <= first < last <= first + _LONGEST_STRETCH_S:
        return JSONResponse({"error": "that is no stretch of sound"}, status_code=400)
    made = channel.sound(first, last) if channel and channel.sound else None
    if made is None:
        return JSONResponse({"error": "this sound was not kept, or is kept no more"}, status_code=404)
    return Response(made, media_type="audio/wav", headers=_PRIVATE)


async def recording_sound(request: Request) -> Response:
    """The sound of an analyzed recording, whole or the range of bytes that a player asks for."""
    sound = heard.find(request.path_params["token"])
    if sound is None:
        return JSONResponse({"error": "this recording is kept no more; reload the page"}, status_code=404)
    total = heard.size(sound)
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    first = int(asked[1]) if asked else 0
    last = min(int(asked[2]), total - 1) if asked and asked[2] else total - 1
    if not 0 <= first <= last:
        return Response(status_code=416, headers={**_PRIVATE, "Content-Range": f"bytes */{total}"})
    headers = {**_PRIVATE, "Accept-Ranges": "bytes", "Content-Length": str(last + 1 - first)}
    if asked:
        headers["Content-Range"] = f"bytes {first}-{last}/{total}"
    content = heard.wav(sound, first, last)
    return StreamingResponse(content, 206 if asked else 200, headers, media_type="audio/wav")


async def live_played(request: Request) -> Response:
    """The recording that a session replays, for the browser to play along."""
    channel = CHANNELS.get(request.path_params["token"])
    played = channel.played() if channel and channel.played else None
    if played is None:
        return JSONResponse({"error": "no recording is played; reload the page"}, status_code=404)
    if isinstance(played, Path):
        return FileResponse(played, headers=_PRIVATE)
    return _part(played, request.headers.get("range"))


def _part(content: bytes, asked: str | None) -> Response:
    """Bytes, or the one range of them that a browser asked for: without ranges it cannot go to a second."""
    headers = {**_PRIVATE, "Accept-Ranges": "bytes"}
    found = _RANGE.fullmatch(asked or "")
    if found is None:
        return Response(content, media_type="application/octet-stream", headers=headers)
    first = int(found[1])
    last = min(int(found[2] or len(content)), len(content) - 1)
    if first > last:
        headers["Content-Range"] = f"bytes */{len(content)}"
        return Response(status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    part = content[first : last + 1]
    return Response(part, status_code=206, media_type="application/octet-stream", headers=headers)


routes: list[BaseRoute] = [
    WebSocketRoute("/api/live/{token}", live_socket),
    Route("/api/live/{token}", live_state),
    Route("/api/live/{token}/log.{format}", live_log),
    Route("/api/live/{token}/sound.wav", live_sound),
    Route("/api/live/{token}/played", live_played),
    Route("/api/recording/{token}/sound.wav", recording_sound),
    *assets.routes,
]
