"""How far apart the synthetic people are for a speaker model, as cosines.

    python tests/voices/separation.py [MODEL]       default: the bundled model

For each person: the cosine of single turns (their first 2 s) with the person's own mean voiceprint, and with
the nearest other person's.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import voices  # noqa: E402

from speakerid import Encoder  # noqa: E402


def main() -> None:
    encoder = Encoder.load(sys.argv[1] if len(sys.argv) > 1 else "ecapa-bundled")
    means = []
    for name in voices.PEOPLE:
        mean = encoder.embed(voices.enrollment(name)).mean(axis=0)
        means.append(mean / np.linalg.norm(mean))
    print(encoder.id)
    print("| person | own: mean (lowest) | nearest other: mean (highest) |\n|---|---|---|")
    for index, name in enumerate(voices.PEOPLE):
        turns = [voices.turn(name, k)[: 2 * voices.RATE] for k in range(voices.TURNS_A_PERSON)]
        cosines = encoder.embed(turns) @ np.stack(means).T  # [turns, people]
        others = np.delete(cosines, index, axis=1)
        near = int(np.argmax(others.mean(axis=0)))
        other = [n for n in voices.PEOPLE if n != name][near]
        own = cosines[:, index]
        print(
            f"| {name} | {own.mean():.2f} ({own.min():.2f}) "
            f"| {other} {others[:, near].mean():.2f} ({others.max():.2f}) |"
        )


if __name__ == "__main__":
    main()
