"""People and their voiceprints on disk: who agreed, whose voice, made by which model.

This room imports no torch; the model comes in as an argument of `Gallery.enroll`.
"""

from typing import TYPE_CHECKING

from speakerid.gallery.audit import acting_as
from speakerid.gallery.consent import Consent
from speakerid.gallery.database import Unavailable
from speakerid.gallery.enrollment import MIN_SPEECH_SECONDS, EnrollmentReport
from speakerid.gallery.gallery import MAX_PEOPLE, Gallery
from speakerid.gallery.importing import Arrival, SameName
from speakerid.gallery.kept_recording import KeptRecording
from speakerid.gallery.names import UNKNOWN, clean_name
from speakerid.gallery.portable import Imported
from speakerid.gallery.reembedding import Reembedded
from speakerid.gallery.sealing import Locked
from speakerid.gallery.snapshot import Damaged
from speakerid.gallery.voiceprint import MAX_EXEMPLARS, Voiceprint

if TYPE_CHECKING:
    from speakerid.gallery.gallery import MAX_PEOPLE, Gallery

__all__ = [
    "MAX_EXEMPLARS",
    "MAX_PEOPLE",
    "MIN_SPEECH_SECONDS",
    "UNKNOWN",
    "Arrival",
    "Consent",
    "Damaged",
    "EnrollmentReport",
    "Gallery",
    "Imported",
    "KeptRecording",
    "Locked",
    "Reembedded",
    "SameName",
    "Unavailable",
    "Voiceprint",
    "acting_as",
    "clean_name",
]
