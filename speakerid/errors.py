"""What goes wrong for a reason that a person can act on.

Every message is one sentence that says what is wrong and how to go on; the pages show it as it is and the
command line prints it and exits with status 1.
"""


class SpeakerIdError(Exception):
    """Base of all errors that are meant for a person's eyes."""


class AudioError(SpeakerIdError):
    """A recording, a microphone or a browser stream cannot be used."""


class ModelError(SpeakerIdError):
    """A model cannot be loaded, or cannot embed what it was given."""


class GalleryError(SpeakerIdError):
    """A voiceprint cannot be stored, found or read."""


class EnrollmentRefused(GalleryError):
    """The recordings would make a bad voiceprint; nothing was stored.

    Attributes:
        reasons: one sentence a reason, each with its remedy.
        belongs_to: the enrolled person whose voice it is instead; "" if that is not the reason.
        other_voice: whether it is not the voice that the person enrolled before.
    """

    def __init__(self, reasons: list[str], *, belongs_to: str = "", other_voice: bool = False):
        super().__init__(" ".join(reasons))
        self.reasons = reasons
        self.belongs_to = belongs_to
        self.other_voice = other_voice
