"""The speech that every other model is calibrated with when it arrives: one Opus file for the package.

Common Voice (CC0) and LibriSpeech (CC BY 4.0), of people whom the recipe trains on: those it holds out stay
out, for what is judged by them must not be in anybody's hands.
"""

import csv
import io
import json
from collections import defaultdict
from pathlib import Path

import av
import numpy as np

from speakerid.audio.decode import decode
from speakerid.audio.format import RATE
from speakerid.evaluate.arrival import SPEECH, SPEECH_INDEX
from speakerid.training.corpus import Clip, Corpus, held_out, trim

BITS = 9_700  # bit/s
LANGUAGES_FIRST = 80  # speakers of Common Voice, as many languages as there are
READERS = 36  # of LibriSpeech
RECORDINGS, RECORDING_SECONDS = 3, 2.9  # of a speaker of Common Voice
READER_SECONDS = 8.0
LEAST_SECONDS = 2.0  # of a recording of Common Voice
PAUSE_SECONDS = 0.24  # of silence between recordings, so that the codec mixes none with the next
COMMON_VOICE, LIBRISPEECH = "common-voice", "librispeech-train-clean-100"


def write(manifest: Path, seed: int = 0) -> None:
    """Choose, cut and encode; writes SPEECH and SPEECH_INDEX.

    Args:
        manifest: as for `prepare`.
    """
    with manifest.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    clips = [Clip(row["corpus"], row["speaker"], "", "", 0, 0) for row in rows]
    held = held_out(Corpus(clips, np.zeros(0, np.int16)))
    speakers: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if row["speaker"] not in held:
            speakers[row["corpus"], row["speaker"]].append(row)
    rng = np.random.default_rng(seed)
    voices, parts, at = [], [], 0
    pause = np.zeros(int(PAUSE_SECONDS * RATE), np.float32)
    chosen = [*_of_common_voice(speakers, rng), *_of_librispeech(speakers, rng)]
    for number, (corpus, mine) in enumerate(chosen):
        spans = []
        longest = RECORDING_SECONDS if corpus == COMMON_VOICE else READER_SECONDS
        for row in mine:
            samples = trim(decode(manifest.parent / row["path"]).samples)[: int(longest * RATE)]
            samples = samples * np.float32(0.08 / max(float(np.std(samples)), 1e-4))
            parts += [np.clip(samples, -1, 1), pause]
            spans.append([at, at + len(samples)])
            at += len(samples) + len(pause)
        one = {"speaker": f"{number:03d}", "corpus": corpus, "sex": mine[0]["sex"], "age": mine[0]["age"]}
        voices.append({**one, "language": mine[0]["language"], "spans": spans})
    SPEECH.parent.mkdir(parents=True, exist_ok=True)
    SPEECH.write_bytes(_opus(np.concatenate(parts)))
    SPEECH_INDEX.write_text(json.dumps({"samples": at, "voices": voices}, separators=(",", ":")))
    readers = sorted(
        mine[0]["speaker"].removeprefix("ls") for corpus, mine in chosen if corpus == LIBRISPEECH
    )
    print(f"{len(voices)} speakers, {at / RATE:.0f} s, {SPEECH.stat().st_size / 1e6:.2f} MB")
    print("LibriSpeech readers:", ", ".join(readers))


def _of_common_voice(speakers, rng: np.random.Generator) -> list[tuple[str, list[dict[str, str]]]]:
    """Speakers with enough recordings, a language at a time in turn, those whose sex is told first."""
    languages: dict[str, list[list[dict[str, str]]]] = defaultdict(list)
    for (corpus, _), mine in sorted(speakers.items()):
        long = [row for row in mine if float(row["seconds"]) >= LEAST_SECONDS]
        if corpus == COMMON_VOICE and len(long) >= RECORDINGS:
            languages[mine[0]["language"]].append(long[:RECORDINGS])
    for found in languages.values():
        rng.shuffle(found)  # type: ignore[arg-type]
        found.sort(key=lambda mine: mine[0]["sex"] == "")
    chosen: list[tuple[str, list[dict[str, str]]]] = []
    while len(chosen) < LANGUAGES_FIRST and any(languages.values()):
        for found in languages.values():
            if found and len(chosen) < LANGUAGES_FIRST:
                chosen.append((COMMON_VOICE, found.pop(0)))
    return chosen


def _of_librispeech(speakers, rng: np.random.Generator) -> list[tuple[str, list[dict[str, str]]]]:
    """As many women as men."""
    found = [mine for (corpus, _), mine in sorted(speakers.items()) if corpus == LIBRISPEECH]
    found = [mine for mine in found if float(mine[0]["seconds"]) >= READER_SECONDS + 1]
    rng.shuffle(found)  # type: ignore[arg-type]
    women, men = ([mine for mine in found if mine[0]["sex"] == sex] for sex in "fm")
    return [(LIBRISPEECH, mine) for mine in [*women[: READERS // 2], *men[: READERS // 2]]]


def _opus(samples: np.ndarray) -> bytes:
    sound = io.BytesIO()
    with av.open(sound, "w", format="ogg") as container:
        options = {"application": "voip", "frame_duration": "60", "compression_level": "10"}
        stream = container.add_stream("libopus", rate=RATE, options=options)
        stream.bit_rate = BITS
        stream.layout = "mono"  # type: ignore[reportAttributeAccessIssue]
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.pts = RATE, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return sound.getvalue()
