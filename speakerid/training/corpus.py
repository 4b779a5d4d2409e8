"""Training speech: decoded once into one file of 16-bit samples, and split by speaker."""

import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from speakerid.audio.decode import decode
from speakerid.audio.format import RATE

FRAME = RATE // 100
SILENCE_DB = -35.0  # relative to a recording's loudest 10 ms; ends below it are cut off
HELD_OUT_SHARE = 0.12  # of each corpus' speakers, for choosing between models and for calibration
# The corpora of the first bundled network, in whose weights later ones begin: drawn from first, so that the
# speakers that it never heard stay those that nobody hears.
FIRST = ("arabic-speech-commands", "librispeech-train-clean-100", "speechocean762-train")
UNLABELLED = "unlabelled"  # how the corpus of a recording begins of which nobody knows who speaks


@dataclass(frozen=True)
class Clip:
    """One recording: samples[start:stop] of the corpus file."""

    corpus: str
    speaker: str
    sex: str
    age: str
    start: int
    stop: int
    language: str = ""

    @property
    def labelled(self) -> bool:
        """Whether anybody knows who speaks."""
        return not self.corpus.startswith(UNLABELLED)


@dataclass(frozen=True)
class Corpus:
    """Clips and the samples they point into (int16, memory-mapped)."""

    clips: list[Clip]
    samples: np.ndarray

    def audio(self, clip: Clip) -> np.ndarray:
        """The clip as float32 [n], -1..1."""
        return self.samples[clip.start : clip.stop].astype(np.float32) / 32768

    def by_speaker(self) -> dict[str, list[Clip]]:
        speakers: dict[str, list[Clip]] = {}
        for clip in self.clips:
            speakers.setdefault(clip.speaker, []).append(clip)
        return speakers

    def without(self, speakers: set[str]) -> "Corpus":
        return Corpus([c for c in self.clips if c.speaker not in speakers], self.samples)

    def only(self, speakers: set[str]) -> "Corpus":
        return Corpus([c for c in self.clips if c.speaker in speakers], self.samples)


def prepare(manifest: Path, split: str, out: Path, unlabelled: Path | None = None, report=print) -> Corpus:
    """Decode a manifest's recordings into out/samples.i16 and out/clips.json.

    Args:
        manifest: CSV with the columns path (relative to it), corpus, speaker, sex, age, split, language.
        unlabelled: CSV with the columns path (relative to it), corpus, language: one unknown voice each.
    """
    with manifest.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    if unlabelled is not None:
        with unlabelled.open(newline="") as file:
            rows += [_nobodys(row, number) for number, row in enumerate(csv.DictReader(file))]
    out.mkdir(parents=True, exist_ok=True)
    clips, at = [], 0
    with (out / "samples.i16.part").open("wb") as sink:
        for number, row in enumerate(rows):
            samples = trim(decode(manifest.parent / row["path"], max_seconds=float("inf")).samples)
            sink.write(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
            stop = at + len(samples)
            language = row.get("language") or ""
            clips.append(Clip(row["corpus"], row["speaker"], row["sex"], row["age"], at, stop, language))
            at = stop
            if number % 500 == 499 or number == len(rows) - 1:
                report(f"decoded {number + 1} of {len(rows)} recordings, {at / RATE / 60:.0f} minutes")
    (out / "samples.i16.part").replace(out / "samples.i16")
    (out / "clips.json").write_text(json.dumps([asdict(clip) for clip in clips]))
    return load(out)


def _nobodys(row: dict[str, str], number: int) -> dict[str, str]:
    """A row of the unlabelled list as one of the manifest, with a speaker of its own."""
    return {**row, "corpus": f"{UNLABELLED}-{row['corpus']}", "speaker": f"?{number}", "sex": "", "age": ""}


def load(folder: Path) -> Corpus:
    """What prepare() wrote."""
    clips = [Clip(**clip) for clip in json.loads((folder / "clips.json").read_text())]
    return Corpus(clips, np.memmap(folder / "samples.i16", dtype="<i2", mode="r"))


def held_out(corpus: Corpus, seed: int = 0) -> set[str]:
    """Speakers that no network is trained on: the same share of each corpus, the same for the same seed."""
    rng = np.random.default_rng(seed)
    chosen: set[str] = set()
    names = {clip.corpus for clip in corpus.clips if clip.labelled}
    for name in [*sorted(names & set(FIRST)), *sorted(names - set(FIRST))]:
        speakers = sorted({clip.speaker for clip in corpus.clips if clip.corpus == name})
        chosen.update(rng.permutation(speakers)[: max(1, round(HELD_OUT_SHARE * len(speakers)))])
    return chosen


def trim(samples: np.ndarray) -> np.ndarray:
    """Samples [n] without the silence at both ends."""
    whole = len(samples) // FRAME * FRAME
    power = np.square(samples[:whole].reshape(-1, FRAME)).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (SILENCE_DB / 10))
    return samples[loud[0] * FRAME : (loud[-1] + 1) * FRAME] if len(loud) else samples
