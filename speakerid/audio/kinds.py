"""Which files are recordings, and what a file may claim about itself before anything is allocated for it."""

from speakerid.errors import AudioError

KINDS = "wav, flac, mp3, ogg, m4a, webm or mp4"
"""For messages: the kinds that people have."""

_EXTENSIONS = (
    "wav wave w64 rf64 bwf flac mp3 mp2 ogg oga opus spx ogv m4a m4b m4r aac mp4 m4v qta 3gp 3g2 amr awb "
    "webm weba mka mkv mov aiff aif aifc caf au snd wma wmv asf avi ts mts m2ts mpg mpeg flv wv ape tta "
    "ac3 eac3 sph nist gsm voc"
)

EXTENSIONS = tuple(_EXTENSIONS.split())
"""The ends of names of every kind that is read, without the dot; the pages' uploaders take these."""

FORMATS = (
    "wav,w64,flac,mp3,ogg,mov,mp4,matroska,webm,aac,aiff,caf,asf,amr,amrnb,amrwb,au,avi,mpegts,mpeg,flv,"
    "wv,ape,tta,ac3,eac3,nistsphere,gsm,voc"
)
"""FFmpeg's names of the formats that are opened: sound alone, since a playlist could point anywhere."""

MAX_SECONDS = 4 * 3600.0
"""The longest recording that is read, in any way."""

RATES = (4000, 768_000)
"""Samples a second that a recording may have. Below, a voice cannot be told from another one."""

MAX_CHANNELS = 64


def check_rate(rate: int, name: str) -> None:
    """Raises AudioError: so few samples a second hold no voice, or no device records so many."""
    if rate < RATES[0]:
        raise AudioError(
            f"{name} has a sample rate of {rate} Hz, too low to tell voices apart: "
            "record with at least 8000, better 16000 Hz."
        )
    if rate > RATES[1]:
        raise AudioError(
            f"{name} claims {rate:,} samples a second, which no device records: its header is damaged; "
            "export it again."
        )


def check_channels(count: int, name: str) -> None:
    """Raises AudioError: none, or more channels than are read."""
    if count < 1:
        raise AudioError(f"{name} claims to have no channel: its header is damaged; export it again.")
    if count > MAX_CHANNELS:
        raise AudioError(
            f"{name} has {count} channels, and at most {MAX_CHANNELS} are read: export one track of it."
        )


def length(seconds: float) -> str:
    """A limit as people say it: 4 hours, 10 minutes, 30 s."""
    if seconds >= 7200:
        return f"{seconds / 3600:g} hours"
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"


def clock(seconds: float) -> str:
    """A place in a recording: 1:02:03 or 2:03."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
