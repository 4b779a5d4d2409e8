"""People and their voiceprints on disk: who agreed, whose voice, made by which model.

This room imports no torch; the model comes in as an argument of `Gallery.enroll`.
"""

from speakerid.gallery.enrollment import MIN_SPEECH_SECONDS, EnrollmentReport
from speakerid.gallery.exemplars import MAX_EXEMPLARS
from speakerid.gallery.gallery import Gallery
from speakerid.gallery.names import UNKNOWN, clean_name
from speakerid.gallery.store import Damaged
from speakerid.gallery.voiceprint import Consent, Voiceprint

__all__ = [
    "MAX_EXEMPLARS",
    "MIN_SPEECH_SECONDS",
    "UNKNOWN",
    "Consent",
    "Damaged",
    "EnrollmentReport",
    "Gallery",
    "Voiceprint",
    "clean_name",
]
