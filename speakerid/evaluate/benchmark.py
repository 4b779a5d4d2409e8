"""How fast this computer is: embedding by window length and batch, scoring by people enrolled, listening.

Times are medians over runs after a warm-up, in milliseconds, on random sound: what is said does not change
how long it takes.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.format import RATE

if TYPE_CHECKING:
    from speakerid.identify.listener import GalleryLike
    from speakerid.identify.scoring import Enrolled, Scorer
    from speakerid.model.embedder import Embedder

LENGTHS = (1.0, 2.0, 3.0, 5.0)  # s
BATCHES = (1, 4, 16)
PEOPLE = (10, 100, 1_000, 10_000)
LOOPS = 2  # other programs beside the listener that never rest
ENOUGH_SECONDS, FEWEST_RUNS, MOST_RUNS = 0.6, 5, 50


def timed(work: Callable[..., object], *given: object) -> float:
    """Median milliseconds of a piece of work, after two runs to warm up."""
    work(*given)
    work(*given)
    runs: list[float] = []
    while len(runs) < FEWEST_RUNS or (sum(runs) < ENOUGH_SECONDS and len(runs) < MOST_RUNS):
        began = time.perf_counter()
        work(*given)
        runs.append(time.perf_counter() - began)
    return statistics.median(runs) * 1000


@contextmanager
def busy(loops: int = LOOPS) -> Iterator[None]:
    """So many other programs that never rest, as on a computer with a browser open."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def embedding(
    encoders: Sequence[Embedder], lengths: Sequence[float] = LENGTHS, batches: Sequence[int] = BATCHES
) -> list[dict]:
    """Rows {"model", "seconds", "batch", "ms" for the batch, "times_real_time", "features_ms"}.

    features_ms is what the log-mel features alone take in our own front end.
    """
    import torch

    from speakerid.model.features import log_mel

    rng = np.random.default_rng(0)
    rows = []
    for seconds in lengths:
        for batch in batches:
            blocks = [rng.normal(0, 0.1, round(seconds * RATE)).astype(np.float32) for _ in range(batch)]
            sound = torch.from_numpy(np.stack(blocks))
            with torch.inference_mode():
                features_ms = timed(log_mel, sound)
            for encoder in encoders:
                took = timed(encoder.embed, blocks)
                rows.append(
                    {
                        "model": encoder.id,
                        "seconds": seconds,
                        "batch": batch,
                        "ms": took,
                        "times_real_time": seconds * batch * 1000 / took,
                        "features_ms": features_ms,
                    }
                )
    return rows


def scoring(scorer: Scorer, counts: Sequence[int] = PEOPLE) -> list[dict]:
    """Rows {"people", "ms" to score a window against them, "prepare_ms" to take in all of them, "change_ms"
    to take in a change of one, "megabytes" that the numbers of their voices take}."""
    from speakerid.evaluate.own import Exemplars
    from speakerid.identify.scoring import Scorer

    class Person(Exemplars):
        model = "benchmark"

    rng = np.random.default_rng(0)
    rows = []
    for count in counts:
        scorer = Scorer(scorer.cohort, scorer.calibration)  # one that has seen nobody
        numbers = np.empty((count + 1, 1, 192), np.float32)
        for row in numbers:
            rng.standard_normal(out=row, dtype=np.float32)
            row /= np.linalg.norm(row)
        seconds = np.full(1, 15, np.float32)
        people: list[Enrolled] = [Person(str(i), numbers[i], seconds) for i in range(count + 1)]
        began = time.perf_counter()
        profiles = scorer.profiles(people[1:])
        prepare = time.perf_counter() - began
        both = cycle(([*people[1:-1], people[0]], people[1:]))
        rows.append(
            {
                "people": count,
                "ms": timed(scorer.score, numbers[0], np.array([2.0]), profiles),
                "prepare_ms": prepare * 1000,
                "change_ms": timed(lambda both=both, scorer=scorer: scorer.profiles(next(both))),
                "megabytes": profiles.nbytes / 1e6,
            }
        )
    return rows


def strangers(encoder: Embedder, count: int = 4) -> GalleryLike:
    """A gallery of people whose voices are random numbers."""
    from speakerid.evaluate.own import Exemplars

    rng = np.random.default_rng(0)
    width = encoder.embed([rng.normal(0, 0.1, RATE).astype(np.float32)]).shape[1]
    rows = rng.standard_normal((count, 3, width)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)

    class Strangers:
        def speakers(self) -> list:
            return [Person(str(i), rows[i], np.full(3, 3, np.float32)) for i in range(count)]

    class Person(Exemplars):
        model = encoder.id

    return Strangers()


def listening(encoder: Embedder, scorer: Scorer, recording: Path) -> dict:
    """How fast the Listener hears a recording with four people enrolled, decoding included.

    Returns:
        {"seconds" of audio, "took_s", "times_real_time", "decisions"}.

    Raises:
        AudioError: the recording cannot be decoded.
    """
    from speakerid.audio.decode import stream
    from speakerid.identify import Listener

    listener = Listener(encoder, strangers(encoder), scorer=scorer)
    began, samples, decisions = time.perf_counter(), 0, 0
    for block in stream(recording, block=320):
        samples += len(block)
        decisions += len(listener.push(block))
    decisions += len(listener.flush())
    took = time.perf_counter() - began
    seconds = samples / RATE
    return {"seconds": seconds, "took_s": took, "times_real_time": seconds / took, "decisions": decisions}
