"""Sound as it is stored: FLAC, 16 kHz, mono, 16 bits."""

import io

import numpy as np

from speakerid.audio.format import RATE, Block
from speakerid.errors import GalleryError


def compress(samples: Block) -> bytes:
    """A FLAC file of samples float32 [n] in -1..1, rounded to 16 bits."""
    import av

    rounded = np.clip(np.round(samples * 32767.0), -32768, 32767).astype(np.int16)
    out = io.BytesIO()
    with av.open(out, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono", format="s16")
        for start in range(0, len(rounded), 4096):
            frame = av.AudioFrame.from_ndarray(
                rounded[None, start : start + 4096], format="s16", layout="mono"
            )
            frame.sample_rate = RATE
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def decompress(flac: bytes, max_seconds: float) -> Block:
    """The samples, float32 [n] in -1..1, of what `compress` made.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    import av
    from av.error import FFmpegError

    pieces: list[np.ndarray] = []
    try:
        with av.open(io.BytesIO(flac), "r", format="flac") as container:
            stream = container.streams.audio[0]
            if stream.rate != RATE or stream.channels != 1:
                raise GalleryError("its sound is not 16 kHz mono")
            total = 0
            for frame in container.decode(stream):
                piece = frame.to_ndarray()
                if piece.dtype != np.int16:
                    raise GalleryError("its sound has not 16 bits")
                total += piece.size
                if total > max_seconds * RATE:
                    raise GalleryError("its sound is too long")
                pieces.append(piece.reshape(-1))
    except (FFmpegError, IndexError, ValueError) as error:
        raise GalleryError("its sound cannot be read") from error
    if not pieces:
        raise GalleryError("it holds no sound")
    return (np.concatenate(pieces) / np.float32(32767.0)).astype(np.float32)
