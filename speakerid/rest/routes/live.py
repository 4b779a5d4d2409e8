"""The live WebSocket, /v1/listen: sound in, decisions out, by the Engine that all sessions share.

    client: binary messages of 16-bit little-endian mono PCM, at 16 kHz or at what ?rate=48000 says; with
            ?codec=opus each message is one Opus packet, as WebCodecs' AudioEncoder makes them
    server: each decision as {"at", "speaker", "confidence", "scores", "also"}; while this computer does not
            keep up, {"behind": seconds, "skipped": windows since the beginning} at most once a second
            {"trouble": sentence} while the voiceprints cannot be read, and "" once they can again
    client: the text "end"
    server: {"turns", "seconds", "model", "calibrated"}, and closes

What goes wrong is told as {"error"} before the server closes. Sound may come faster than real time: it is
read as fast as it is identified, and a recording gives the decisions of /v1/identify. Only where the computer
cannot keep up with real time are windows skipped, as on the live page, so that no answer is more than some
seconds late.
"""

import asyncio
import json
import time
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from speakerid.audio.format import RATE
from speakerid.audio.live import LiveConverter
from speakerid.audio.ring import Ring
from speakerid.audio.vad import FRAME
from speakerid.conversation.formats import as_json, turn_row
from speakerid.errors import SpeakerIdError
from speakerid.identify import Decision, Listener, Snapshot
from speakerid.identify.watch import LOOK_SECONDS, Watch
from speakerid.rest.refusals import Refusal, answer, busy, unexpected
from speakerid.rest.service import Service, service_of

if TYPE_CHECKING:
    import av

MAX_LISTENING = 16  # WebSockets at once
MAX_MESSAGE = 1_000_000  # bytes; half a minute at 16 kHz
RATES = (8_000, 192_000)
_PIECE = RATE // 4  # samples pushed at once; two of them are less than what makes the Engine skip windows
_LATE = 2.0  # seconds behind real time from which on sound is pushed though the Engine is not ready for it
_AHEAD = 16_000_000  # bytes read before they are heard; beyond that, the client has to wait
_UNSENT = 1000  # decisions that a client may leave unread: more than a minute
_SILENCE = 2.0  # seconds after the end, longer than any pause that the Listener waits for
_POLL = 0.005  # seconds
IDLE_SECONDS = 30.0  # within which a client has to send …
_LEAST = 1.0  # … so many seconds of sound
_FAREWELL = 1.0  # seconds in which the last words to a client have to be sent


async def listen(socket: WebSocket) -> None:
    """Carry one session. What is wrong with the request is answered instead of opening the WebSocket."""
    service = service_of(socket)
    try:
        rate = _rate(socket.query_params.get("rate", str(RATE)))
        if service.listening >= MAX_LISTENING:
            raise busy(
                f"{MAX_LISTENING} clients are listening, as many as may: try again once one has ended."
            )
        if why := service.engine.full:
            raise busy(why)
        codec = socket.query_params.get("codec", "pcm")
        if codec not in ("pcm", "opus"):
            raise Refusal(HTTPStatus.BAD_REQUEST, "codec is neither pcm nor opus: send one of them.")
        service.listening += 1
    except Refusal as refusal:
        await socket.send_denial_response(answer(refusal))
        return
    try:
        try:
            watch = await service.quick.run(lambda _: Watch(service.gallery))
            listener = await service.quick.run(lambda _: Listener(service.encoder, watch))
        except SpeakerIdError as error:
            await socket.send_denial_response(answer(error))
            return
        await socket.accept()
        await _Session(socket, service, listener, watch, rate, codec == "opus").run()
    finally:
        service.listening -= 1


class _Session:
    """One client's sound on its way through the Engine."""

    def __init__(
        self, socket: WebSocket, service: Service, listener: Listener, watch: Watch, rate: int, opus: bool
    ):
        self._socket, self._service, self._listener, self._rate = socket, service, listener, rate
        self._watch, self._trouble = watch, ""  # what the client was told of
        self._loop = asyncio.get_running_loop()
        self._converter = LiveConverter()
        self._opus = _opus_decoder() if opus else None
        self._came, self._came_at = 0.0, time.monotonic()  # seconds of sound in whole pieces, and when
        self._told = (0, 0.0)  # skipped and behind, as the client knows them
        self._ring = Ring()
        self._pushed = 0  # samples
        self._due = 0.0  # by time.monotonic(), when what was pushed would be over, had it come in real time
        self._odd = b""  # the half of a sample that a message may end with
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._unheard = 0  # bytes in the inbox
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue(_UNSENT)
        self._session = service.engine.open(listener, self._ring, self._decided)

    async def run(self) -> None:
        """Until the client has ended or gone, or something fails."""
        hearing = asyncio.create_task(self._hear())
        sending = asyncio.create_task(self._send())
        tasks = [hearing, sending, asyncio.create_task(self._receive()), asyncio.create_task(self._look())]
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
        try:
            async with asyncio.timeout(_FAREWELL):
                if said:
                    await self._socket.send_json({"error": str(said[0])})
                await self._socket.close(1011 if said else 1000)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):  # gone, or does not read
            return

    async def _receive(self) -> None:
        """Read ahead of the Engine: then pings are answered, and it is seen at once when the client goes."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            if (sound := message.get("bytes")) is not None:
                self._inbox.put_nowait(sound)
                self._unheard += len(sound)
            elif message.get("text") == "end":
                self._inbox.put_nowait(None)
            else:
                raise Refusal(HTTPStatus.BAD_REQUEST, 'Send sound as binary messages, or the text "end".')
            while self._unheard > _AHEAD:
                await asyncio.sleep(_POLL)

    async def _hear(self) -> None:
        """Give the Engine what came; after the end, send the turns."""
        size = 2 * max(1, self._rate * _PIECE // RATE)
        while (sound := await self._next()) is not None:
            if self._opus is not None:
                for frame in _decoded(self._opus, sound):
                    await self._push(self._converter.push(frame))
                self._unheard -= len(sound)
                continue
            sound = self._odd + sound
            whole = len(sound) // 2 * 2
            self._odd = sound[whole:]
            for at in range(0, whole, size):
                piece = sound[at : min(at + size, whole)]
                await self._push(self._converter.push(_frame(piece, self._rate)))
            self._unheard -= len(sound) - len(self._odd)
        await self._push(self._converter.flush())
        seconds = self._pushed / RATE
        for _ in range(int(_SILENCE * RATE / _PIECE)):
            await self._push(np.zeros(_PIECE, np.float32))
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
        self._ring.push(block, self._converter.gain_db)

    def _caught_up(self) -> bool:
        return self._pushed - self._listener.heard * RATE < _PIECE

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


class _Done(SpeakerIdError):
    """A session has come to its good end."""


def _opus_decoder() -> "av.AudioCodecContext":
    import av

    decoder = av.AudioCodecContext.create("opus", "r")
    decoder.sample_rate, decoder.layout = 48_000, "mono"
    return decoder


def _decoded(decoder: "av.AudioCodecContext", packet: bytes) -> "list[av.AudioFrame]":
    import av
    from av.error import FFmpegError

    try:
        return decoder.decode(av.Packet(packet)) if packet else []
    except FFmpegError as error:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "A message is no Opus packet: send one a message, or leave out codec.",
        ) from error


def _rate(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and RATES[0] <= int(text[:9]) <= RATES[1]):
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            f"rate is no number from {RATES[0]} to {RATES[1]}: give the samples a second of what you send.",
        )
    return int(text)


def _frame(piece: bytes, rate: int) -> "av.AudioFrame":
    """16-bit samples as PyAV takes them."""
    import av

    samples = np.frombuffer(piece, "<i2").astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = rate
    return frame
