"""One client's sound on its way through the Engine, between its WebSocket and a Session of the Engine."""

import asyncio
import json
import time
from contextlib import suppress
from http import HTTPStatus

import numpy as np
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from speakerid.audio.format import RATE
from speakerid.audio.ring import Ring
from speakerid.audio.vad import FRAME
from speakerid.conversation.formats import as_json, turn_row
from speakerid.errors import SpeakerIdError
from speakerid.identify import Decision, Listener, Snapshot
from speakerid.identify.watch import LOOK_SECONDS, Watch
from speakerid.rest.refusals import Refusal, unexpected
from speakerid.rest.service import Service
from speakerid.rest.sound import PIECE, Sound

IDLE_SECONDS = 30.0  # within which a client has to send …
_LEAST = 1.0  # … so many seconds of sound
_LATE = 2.0  # seconds behind real time from which on sound is pushed though the Engine is not ready for it
_AHEAD = 16_000_000  # bytes read before they are heard; beyond that, the client has to wait
_OVERHEAD = 100  # bytes that a message takes beside its sound: of one sample there may be millions
_UNSENT = 1000  # decisions that a client may leave unread: more than a minute
_SILENCE = 2.0  # seconds after the end, longer than any pause that the Listener waits for
_POLL = 0.005  # seconds
_FAREWELL = 1.0  # seconds in which the last words to a client have to be sent


class Session:
    """One client's sound on its way through the Engine.

    Raises:
        EngineFull: this computer keeps up with no further session.
    """

    def __init__(self, socket: WebSocket, service: Service, listener: Listener, watch: Watch, sound: Sound):
        self._socket, self._service, self._listener, self._sound = socket, service, listener, sound
        self._watch, self._trouble = watch, ""  # what the client was told of
        self._loop = asyncio.get_running_loop()
        self._came, self._came_at = 0.0, time.monotonic()  # seconds of sound in whole pieces, and when
        self._told = (0, 0.0)  # skipped and behind, as the client knows them
        self._ring = Ring()
        self._pushed = 0  # samples
        self._due = 0.0  # by time.monotonic(), when what was pushed would be over, had it come in real time
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._unheard = 0  # bytes in the inbox
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue(_UNSENT)
        self._session = service.engine.open(listener, self._ring, self._decided)

    async def run(self, first: Message) -> None:
        """Until the client has ended or gone, or something fails."""
        hearing = asyncio.create_task(self._hear())
        sending = asyncio.create_task(self._send())
        tasks = [
            hearing,
            sending,
            asyncio.create_task(self._receive(first)),
            asyncio.create_task(self._look()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            errors = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        finally:
            self._session.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._part([error for error in errors if error is not None])

    async def _part(self, errors: list[BaseException]) -> None:
        """The last words: what went wrong, if anything did."""
        gone = any(isinstance(error, WebSocketDisconnect) for error in errors)
        if gone or self._socket.client_state is not WebSocketState.CONNECTED:
            return
        said = [
            error for error in errors if isinstance(error, SpeakerIdError) and not isinstance(error, _Done)
        ]
        said += [unexpected(error) for error in errors if not isinstance(error, SpeakerIdError)]
        await farewell(self._socket, str(said[0]) if said else "", 1011 if said else 1000)

    async def _receive(self, message: Message) -> None:
        """Read ahead of the Engine: then pings are answered, and it is seen at once when the client goes."""
        while True:
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            if (sound := message.get("bytes")) is not None:
                self._inbox.put_nowait(sound)
                self._unheard += len(sound) + _OVERHEAD
            elif message.get("text") == "end":
                self._inbox.put_nowait(None)
            else:
                raise Refusal(HTTPStatus.BAD_REQUEST, 'Send sound as binary messages, or the text "end".')
            while self._unheard > _AHEAD:
                await asyncio.sleep(_POLL)
            message = await self._socket.receive()

    async def _hear(self) -> None:
        """Give the Engine what came; after the end, send the turns."""
        while (message := await self._next()) is not None:
            for block in self._sound.blocks(message):
                await self._push(block)
            self._unheard -= len(message) + _OVERHEAD
            await asyncio.sleep(0)  # whoever sends samples one by one keeps nobody else waiting
        await self._push(self._sound.flush())
        seconds = self._pushed / RATE
        for _ in range(int(_SILENCE * RATE / PIECE)):
            await self._push(np.zeros(PIECE, np.float32))
        # A snapshot comes after everything that was heard before it is decided.
        while self._pushed - self._session.snapshot.at * RATE >= FRAME:
            self._check()
            await asyncio.sleep(_POLL)
        last = {
            "turns": [turn_row(turn) for turn in self._session.snapshot.turns],
            "seconds": round(seconds, 2),
            "model": self._service.encoder.id,
            "calibrated": self._listener.scorer.calibrated,
        }
        await self._outbox.put(json.dumps(last, ensure_ascii=False))
        await self._outbox.put(None)

    async def _next(self) -> bytes | None:
        """The next message of sound; None for the end."""
        if self._inbox.empty() and self._caught_up():  # a pause of the client's does not make us late
            sound = await self._inbox.get()
            self._due = max(self._due, time.monotonic())
            return sound
        return await self._inbox.get()

    async def _push(self, block: np.ndarray) -> None:
        while not self._caught_up() and time.monotonic() < self._due + _LATE:
            self._check()
            await asyncio.sleep(_POLL)
        self._check()
        self._due += len(block) / RATE
        self._pushed += len(block)
        self._ring.push(block, self._sound.gain_db)

    def _caught_up(self) -> bool:
        return self._pushed - self._listener.heard * RATE < PIECE

    def _check(self) -> None:
        """Raises SpeakerIdError once the Engine does not listen any more."""
        if self._session.closed:
            sentence = self._session.error or "The server is ending: connect again once it has been started."
            raise SpeakerIdError(sentence)

    async def _look(self) -> None:
        """Take in who was enrolled, renamed or removed meanwhile; notice when the Engine has given up."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._check()
            if await self._service.quick.run(lambda _: self._watch.look()):
                self._session.reload()
            self._tell()
            self._require_sound()

    def _tell(self) -> None:
        """Say it while it happens that this computer does not keep up."""
        skipped = self._listener.skipped
        behind = round(max(0.0, self._pushed / RATE - self._listener.heard), 1)
        self._service.metrics.skipped.inc(skipped - self._told[0])
        if skipped > self._told[0] or (behind >= 1 and behind != self._told[1]):
            self._offer(json.dumps({"behind": behind, "skipped": skipped}))
        self._told = (skipped, behind)
        if self._watch.trouble != self._trouble:
            self._trouble = self._watch.trouble
            self._offer(json.dumps({"trouble": self._trouble}, ensure_ascii=False))

    def _require_sound(self) -> None:
        """A client that sends nothing, or hardly anything, does not keep its place."""
        if self._pushed / RATE - self._came >= _LEAST or not self._inbox.empty():
            self._came, self._came_at = self._pushed / RATE, time.monotonic()
        elif time.monotonic() - self._came_at > IDLE_SECONDS:
            raise Refusal(
                HTTPStatus.REQUEST_TIMEOUT,
                f"Less than {_LEAST:g} s of sound came in {IDLE_SECONDS:g} s: connect again once there is.",
            )

    async def _send(self) -> None:
        while (text := await self._outbox.get()) is not None:
            await self._socket.send_text(text)
        raise _Done("Everything was sent.")

    def _decided(self, snapshot: Snapshot, decisions: list[Decision]) -> None:
        """The Engine's thread calls this."""
        with suppress(RuntimeError):  # the loop has ended, and with it everybody who listened
            self._service.metrics.decisions.inc(len(decisions))
            if decisions:
                self._service.metrics.delay.observe(snapshot.latency_ms / 1000)
            for decision in decisions:
                self._loop.call_soon_threadsafe(self._offer, as_json(decision))

    def _offer(self, text: str) -> None:
        try:
            self._outbox.put_nowait(text)
        except asyncio.QueueFull:
            self._session.fail(
                SpeakerIdError(f"{_UNSENT} decisions were not read: read them faster, and connect again.")
            )


async def farewell(socket: WebSocket, said: str, code: int) -> None:
    """The last words to a client, and the end."""
    with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # gone, or does not read
        async with asyncio.timeout(_FAREWELL):
            if said:
                await socket.send_json({"error": said})
            await socket.close(code)


class _Done(SpeakerIdError):
    """A session has come to its good end."""
