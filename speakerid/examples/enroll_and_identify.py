"""Enroll a person from one recording, then say who speaks when in another.

python -m speakerid.examples.enroll_and_identify Ada ada.m4a meeting.mp4
"""

import sys

from speakerid import Consent, Encoder, Gallery, Listener
from speakerid.audio.decode import stream


def main(name: str, recording: str, other: str) -> None:
    # The encoder turns speech into embeddings: 192 numbers that are alike for one voice. Its weights are in
    # the package, so nothing is downloaded.
    encoder = Encoder.load()

    # The gallery is a folder of voiceprints. A voiceprint is biometric data: nothing is stored without the
    # consent of the person, word for word as it was given.
    gallery = Gallery.open("voiceprints")
    consent = Consent.now(f"{name} agreed to be recognized by their voice.", "in person")

    # Some ten seconds of speech make a voiceprint. What would make a bad one (noise, two voices, somebody who
    # is enrolled already) is refused with an EnrollmentRefused that says why and what to do.
    report = gallery.enroll(name, recording, encoder, consent=consent)
    print(f"{report.name} is enrolled from {report.speech_seconds:.0f} seconds of speech.")

    # The Listener hears blocks of 20 ms, as it does live, so memory does not grow with the recording. Each
    # block may bring decisions; at the end the turns are who spoke when. A stranger is "unknown".
    listener = Listener(encoder, gallery)
    for block in stream(other):
        listener.push(block)
    listener.flush()
    for turn in listener.turns:
        print(f"{turn.start:6.1f} s to {turn.end:6.1f} s  {turn.speaker}  ({turn.confidence:.0%} sure)")


if __name__ == "__main__":
    main(*sys.argv[1:4])
