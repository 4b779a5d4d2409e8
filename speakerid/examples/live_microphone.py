"""Name who is speaking at this computer's microphone, as it happens.

python -m speakerid.examples.live_microphone
"""

import sys
from contextlib import suppress

from speakerid import Encoder, Gallery, Listener
from speakerid.audio.microphone import Microphone


def main(seconds: float | None = None) -> None:
    # Whoever is in ./voiceprints can be named; the command `enroll`, or another of these scripts, puts people
    # there. Everybody else is "unknown".
    listener = Listener(Encoder.load(), Gallery.open("voiceprints"))

    # The microphone gives blocks of 20 ms at 16 kHz. It records in a thread of its own and keeps what comes
    # while the network works, so a slow moment loses nothing.
    shown = None
    with Microphone() as microphone:
        print("Listening; Ctrl-C ends.", file=sys.stderr, flush=True)
        for block in microphone.blocks(seconds=seconds):
            # A block brings no decision, or one, or more. The first comes after a quarter of a second of
            # speech, and it sharpens: only a change of the name is printed here.
            for decision in listener.push(block):
                if decision.speaker != shown:
                    shown = decision.speaker
                    print(f"{decision.at:6.1f} s  {shown or '…'}  {decision.confidence:.0%}", flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(float(sys.argv[1]) if len(sys.argv) > 1 else None)
