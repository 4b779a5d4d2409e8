"""Make the synthetic voices of the demo and of the tests, and say how far apart they are.

    python tests/voices/make.py            writes speakerid/dashboard/demo/ and tests/voices/

Needs the Debian packages `flite` (the voices) and `ffmpeg` (pitch and Ogg/Opus). Three people are flite's
recorded voices as they are; the others are such a voice with pitch and formants moved together, as a
shorter or longer vocal tract would, at unchanged speed of speech. `separation.py` beside this file measures
whether a speaker model takes them for different people; README.md holds its result.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from texts import DIALOGUE, ENROLLMENT, TURNS

RATE = 16_000
HERE = Path(__file__).resolve().parent
DEMO = HERE.parents[1] / "speakerid" / "dashboard" / "demo"
TURNS_A_PERSON = 8
PAUSE = 0.35  # s between the sentences of an enrollment recording


@dataclass(frozen=True)
class Person:
    """A made-up person: one of flite's voices, its vocal tract scaled by 1/tract."""

    name: str
    voice: str
    tract: float = 1.0
    in_demo: bool = True


PEOPLE = [
    Person("Alice", "slt"),
    Person("Bruno", "rms"),
    Person("Callum", "awb"),
    Person("Daisy", "slt", 1.22),
    Person("Edgar", "kal16", 0.82, in_demo=False),  # the demo's stranger: heard in it, never enrolled
    Person("Felix", "kal16", 1.14, in_demo=False),
]


def speak(person: Person, text: str) -> np.ndarray:
    """The sentence as float32 [n] at 16 kHz, without silence around it, at an RMS level of -22 dBFS."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        subprocess.run(["flite", "-voice", person.voice, "-t", text, "-o", wav.name], check=True)
        move = f"asetrate={round(RATE * person.tract)},aresample={RATE},atempo={1 / person.tract:.4f}"
        command = [
            "ffmpeg",
            "-loglevel",
            "error",
            "-i",
            wav.name,
            "-af",
            move,
            "-ac",
            "1",
            "-f",
            "f32le",
            "-",
        ]
        raw = subprocess.run([*command, "-"], check=True, capture_output=True).stdout
    samples = np.frombuffer(raw, np.float32)
    hop = RATE // 100
    power = np.square(samples[: len(samples) // hop * hop].reshape(-1, hop)).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-40 / 10))
    samples = samples[loud[0] * hop : (loud[-1] + 1) * hop]
    return samples * np.float32(10 ** (-22 / 20) / np.sqrt(np.mean(samples**2)))


def save(path: Path, samples: np.ndarray) -> None:
    """Write samples [n] as Ogg/Opus, 28 kbit/s, over noise at -66 dBFS (rooms are never silent)."""
    noise = np.random.default_rng(len(samples)).standard_normal(len(samples)).astype(np.float32)
    samples = np.clip(samples + noise * np.float32(10 ** (-66 / 20)), -1, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", "-"]
    command += ["-c:a", "libopus", "-b:a", "28k", "-fflags", "+bitexact", "-flags:a", "+bitexact", str(path)]
    subprocess.run(command, input=samples.astype("<f4").tobytes(), check=True)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def join(sentences: list[np.ndarray]) -> np.ndarray:
    parts = [silence(PAUSE)]
    for sentence in sentences:
        parts += [sentence, silence(PAUSE)]
    return np.concatenate(parts)


def enrollment(index: int, person: Person) -> None:
    """Two recordings of about 12 s, three or four sentences each; no two people read the same recording."""
    folder = DEMO / "people" if person.in_demo else HERE / "people"
    texts = [ENROLLMENT[(index * 5 + k) % len(ENROLLMENT)] for k in range(8)]
    for number, part in enumerate((texts[:4], texts[4:]), start=1):
        save(folder / f"{person.name}-{number}.ogg", join([speak(person, text) for text in part]))


def turns(index: int, person: Person) -> None:
    """Single sentences that are in no enrollment recording, cut tightly, so that a test can lay them out."""
    for number in range(TURNS_A_PERSON):
        samples = speak(person, TURNS[(index * 4 + number) % len(TURNS)])
        save(HERE / "turns" / f"{person.name}-{number + 1}.ogg", samples)


def conversation() -> None:
    """The demo's conversation, and who speaks when (RTTM; the stranger is called unknown)."""
    by_name = {person.name: person for person in PEOPLE}
    gaps = np.random.default_rng(4).uniform(0.25, 0.7, len(DIALOGUE))
    parts, lines, at = [silence(1.0)], [], 1.0
    for (name, text), gap in zip(DIALOGUE, gaps, strict=True):
        samples = speak(by_name[name], text)
        label = name if by_name[name].in_demo else "unknown"
        lines.append(
            f"SPEAKER conversation 1 {at:.3f} {len(samples) / RATE:.3f} <NA> <NA> {label} <NA> <NA>\n"
        )
        parts += [samples, silence(gap)]
        at += (len(samples) + len(parts[-1])) / RATE
    save(DEMO / "conversation.ogg", np.concatenate(parts))
    (DEMO / "conversation.rttm").write_text("".join(lines))


def main() -> None:
    for index, person in enumerate(PEOPLE):
        enrollment(index, person)
        turns(index, person)
    conversation()


if __name__ == "__main__":
    main()
