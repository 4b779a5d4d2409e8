"""The live WebSocket, /v1/listen: sound in, decisions out, by the Engine that all sessions share.

    client: binary messages of 16-bit little-endian mono PCM, at 16 kHz or at what ?rate=48000 says; with
            ?codec=opus each message is one Opus packet, as WebCodecs' AudioEncoder makes them
    server: each decision as {"at", "speaker", "confidence", "scores", "also"}; while this computer does not
            keep up, {"behind": seconds, "skipped": windows since the beginning} at most once a second
            {"trouble": sentence} while the voiceprints cannot be read, and "" once they can again
    client: the text "end"
    server: {"turns", "seconds", "model", "calibrated"}, and closes

A client holds a place from its first sound on. What goes wrong is told as {"error"} before the server closes.
Sound may come faster than real time: it is
read as fast as it is identified, and a recording gives the decisions of /v1/identify. Only where the computer
cannot keep up with real time are windows skipped, as on the live page, so that no answer is more than some
seconds late.
"""

import asyncio
from http import HTTPStatus

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from speakerid.errors import SpeakerIdError
from speakerid.identify import Listener
from speakerid.identify.watch import Watch
from speakerid.rest.access import PROTOCOL
from speakerid.rest.live_session import Session, farewell
from speakerid.rest.refusals import Refusal, answer, busy
from speakerid.rest.service import Service, service_of
from speakerid.rest.sound import Sound

MAX_MESSAGE = 1_000_000  # bytes; half a minute at 16 kHz
MOST_SILENT = 32  # clients that have sent nothing yet; beyond it, who has waited longest has to go
FIRST_SECONDS = 10.0  # within which the first message has to come
TRY_AGAIN = 1013  # RFC 6455's registry: try again later


async def listen(socket: WebSocket) -> None:
    """Carry one session. What is wrong with the request is answered instead of opening the WebSocket."""
    service = service_of(socket)
    try:
        sound = Sound(socket.query_params)
        if why := await service.quick.run(lambda _: service.engine.full):
            raise busy(why)
        watch = await service.quick.run(lambda _: Watch(service.gallery))
    except SpeakerIdError as error:
        await socket.send_denial_response(answer(error))
        return
    await socket.accept(PROTOCOL if PROTOCOL in socket.scope.get("subprotocols", ()) else None)
    try:
        first = await _first(socket, service)
        listener = await service.quick.run(lambda _: Listener(service.encoder, watch))
        session = Session(socket, service, listener, watch, sound)
    except SpeakerIdError as error:
        await farewell(socket, str(error), TRY_AGAIN)
        return
    except WebSocketDisconnect:
        return
    service.listening += 1
    try:
        await session.run(first)
    finally:
        service.listening -= 1


async def _first(socket: WebSocket, service: Service) -> Message:
    """The first message: until it comes, a client holds no place among those that are heard.

    Raises:
        Refusal: none came in time, or newer clients wait.
        WebSocketDisconnect: the client has gone.
    """
    turned_away = asyncio.Event()
    service.silent[socket] = turned_away
    if len(service.silent) > MOST_SILENT:
        next(iter(service.silent.values())).set()
    came, away = asyncio.ensure_future(socket.receive()), asyncio.ensure_future(turned_away.wait())
    try:
        await asyncio.wait((came, away), timeout=FIRST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not came.done():
            raise Refusal(
                HTTPStatus.REQUEST_TIMEOUT,
                f"No sound came in {FIRST_SECONDS:g} s, or too many others wait: connect once there is some.",
            )
        return came.result()
    finally:
        del service.silent[socket]
        came.cancel()
        away.cancel()
