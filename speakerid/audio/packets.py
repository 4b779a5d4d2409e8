"""The packets of one sound track, decoded one by one, so that a broken one costs no more than itself."""

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from speakerid.audio import endings
from speakerid.audio.mended import is_lost
from speakerid.audio.tracks import decoder_of

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream
    from av.container import InputContainer


class Packets:
    """Iterate once over (packet, frames), frames None where the packet cannot be decoded.

    Attributes, as far as was iterated:
        last: position and size of the last packet in the file.
        broken: the file cannot be read any further, though it has not ended.
    """

    def __init__(self, file: IO[bytes], container: "InputContainer", stream: "AudioStream"):
        decoder = decoder_of(stream)
        assert decoder is not None
        self._file, self._container, self._stream, self._decoder = file, container, stream, decoder
        self.codec = decoder.name
        self.last = (0, 0)
        self.broken = False

    def __iter__(self) -> "Iterator[tuple[av.Packet, list[av.AudioFrame] | None]]":
        import av
        from av.error import FFmpegError

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.broken = True
                return
            if packet is None:
                return
            self.last = max(self.last, (packet.pos or 0, packet.size))
            if is_lost(self._file, packet.pos):
                yield packet, None
                continue
            try:
                frames = self._decoder.decode(packet)
            except FFmpegError:
                if not endings.is_tag(bytes(packet)):
                    yield packet, None
                continue
            yield packet, [frame for frame in frames if isinstance(frame, av.AudioFrame) and frame.samples]
