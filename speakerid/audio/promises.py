"""What the header of a sound file promises of its length, and whether one that promises none ends early."""

from typing import IO, TYPE_CHECKING

from speakerid.audio import endings

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# The kinds whose header tells the length; that of others is FFmpeg's guess from the bit rate.
_TELL_LENGTH = {"w64", "flac", "mov", "aiff", "ogg", "nistsphere"}


def promised(
    container: "InputContainer", stream: "AudioStream", formats: set[str], origin: float, file: IO[bytes]
) -> float:
    """Seconds of sound that the header promises; 0.0 if it does not say.

    Args:
        formats: FFmpeg's names of the file's.
        origin: the timestamp (s) at which the recording begins.
    """
    alone = len(container.streams) == 1
    if "matroska" in formats:  # where there are several tracks, its one length is the longest one's
        told = endings.matroska_track_length(stream.metadata.get("DURATION", ""))
        whole = container.duration / 1_000_000 if container.duration and alone else 0.0
        return max(0.0, (told or whole) - origin)
    if formats & _TELL_LENGTH or ("mp3" in formats and endings.mp3_tells_length(file)):
        if stream.duration and stream.time_base:
            late = float(stream.start_time * stream.time_base) if stream.start_time and not origin else 0.0
            return float(stream.duration * stream.time_base) + max(0.0, late)
        if container.duration and alone:
            return container.duration / 1_000_000
    return 0.0


def ends_early(
    file: IO[bytes], formats: set[str], begin: int, last: tuple[int, int], told: float, alone: bool
) -> bool:
    """Whether a file whose header tells no true length stops in the middle.

    Args:
        formats: FFmpeg's names of the file's.
        begin: where it begins in a file of several ones.
        last: position and size of the last packet.
        told: seconds that the header promises.
        alone: whether the file has one track.
    """
    if "wav" in formats:  # of coded sound; what is not coded was measured as parts
        return endings.wave_lacks_bytes(file, begin)
    if "avi" in formats:
        return endings.avi_lacks_bytes(file)
    if "ogg" in formats:
        return not endings.ogg_is_whole(file)
    if "matroska" in formats and not told and alone and last[1]:
        return not endings.webm_is_whole(file, *last)  # a browser's recording tells no length
    return False
