"""What a live client sends, as blocks at 16 kHz: 16-bit PCM at any usual rate, or Opus packets."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

import numpy as np
from starlette.datastructures import QueryParams

from speakerid.audio.format import RATE, Block
from speakerid.audio.live import LiveConverter
from speakerid.rest.refusals import Refusal

if TYPE_CHECKING:
    import av

RATES = (8_000, 192_000)
PIECE = RATE // 4  # samples of a block at most; two of them are less than what makes the Engine skip windows


class Sound:
    """One client's sound.

    Args:
        query: rate, the samples a second of what comes; codec, pcm or opus.

    Raises:
        Refusal: there is no such rate or codec.
    """

    def __init__(self, query: QueryParams):
        self._rate = _rate(query.get("rate", str(RATE)))
        codec = query.get("codec", "pcm")
        if codec not in ("pcm", "opus"):
            raise Refusal(HTTPStatus.BAD_REQUEST, "codec is neither pcm nor opus: send one of them.")
        self._opus = _opus_decoder() if codec == "opus" else None
        self._converter = LiveConverter()
        self._odd = b""  # the half of a sample that a message may end with

    @property
    def gain_db(self) -> float:
        """By how much what came last was raised."""
        return self._converter.gain_db

    def blocks(self, message: bytes) -> Iterator[Block]:
        """The blocks of at most PIECE samples that a message brings.

        Raises:
            Refusal: it is no Opus packet.
        """
        if self._opus is not None:
            for frame in _decoded(self._opus, message):
                yield self._converter.push(frame)
            return
        message = self._odd + message
        whole = len(message) // 2 * 2
        self._odd = message[whole:]
        size = 2 * max(1, self._rate * PIECE // RATE)
        for at in range(0, whole, size):
            yield self._converter.push(_frame(message[at : min(at + size, whole)], self._rate))

    def flush(self) -> Block:
        """What the resampler still holds at the end."""
        return self._converter.flush()


def _rate(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and RATES[0] <= int(text) <= RATES[1]):
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
