"""How many live sessions this computer carries: speech in real time through one Engine, ever more of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from speakerid.audio.format import RATE
from speakerid.audio.ring import Ring
from speakerid.evaluate.processes import megabytes
from speakerid.identify import Decision, Engine, Listener, Snapshot
from speakerid.identify.listener import GalleryLike
from speakerid.model.embedder import Embedder

BLOCK = RATE // 50  # samples: 20 ms, as a browser's frames
MOST_MS = 500.0  # of the 95th percentile from sound to decision, beyond which a computer does not keep up
COUNTS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)


@dataclass
class Carried:
    """What so many sessions at once were like."""

    sessions: int
    latencies: list[float] = field(default_factory=list)
    pushes: list[float] = field(default_factory=list)
    megabytes: float | None = None  # of the whole process
    skipped: int = 0

    def row(self) -> dict:
        """As the benchmark tells it; NaN where nothing was decided."""
        decided, pushed = self.latencies or [np.nan], self.pushes or [np.nan]
        return {
            "sessions": self.sessions,
            "median_ms": float(np.median(decided)),
            "p95_ms": float(np.percentile(decided, 95)),
            "skipped": self.skipped,
            "push_p99_ms": float(np.percentile(pushed, 99)),
            "megabytes": self.megabytes,
        }


def sessions(
    encoder: Embedder,
    gallery: GalleryLike,
    speech: np.ndarray,
    *,
    seconds: float = 10.0,
    talking: float = 1.0,
    counts: Sequence[int] = COUNTS,
    progress: Callable[[int], None] = lambda count: None,
) -> list[dict]:
    """Rows of `Carried`, until the first count of sessions that this computer does not keep up with.

    Args:
        speech: [n], heard by each session from another place on, over and over.
        seconds: how long each count is tried.
        talking: share of the time in which somebody speaks; the rest is silence, in turns of five seconds.
    """
    rows = []
    for count in counts:
        progress(count)
        row = _carry(encoder, gallery, speech, count, seconds, talking).row()
        rows.append(row)
        if not row["p95_ms"] <= MOST_MS or row["skipped"]:  # also where no decision came at all
            break
    return rows


def _carry(
    encoder: Embedder, gallery: GalleryLike, speech: np.ndarray, count: int, seconds: float, talking: float
) -> Carried:
    carried = Carried(count)

    def heard(snapshot: Snapshot, decisions: list[Decision]) -> None:
        if decisions:
            carried.latencies.append(snapshot.latency_ms)

    engine = Engine(encoder, capacity=count)
    try:
        rings = [Ring() for _ in range(count)]
        open_ = [engine.open(Listener(encoder, gallery), ring, heard) for ring in rings]
        starts = [len(speech) * k // count for k in range(count)]
        began = time.monotonic()
        for number in range(int(seconds * RATE / BLOCK)):
            for ring, start in zip(rings, starts, strict=True):
                # Sessions are silent at different times.
                cycle = (number * BLOCK + start) % (5 * RATE)
                samples = np.take(speech, range(start, start + BLOCK), mode="wrap")
                block = samples if cycle < talking * 5 * RATE else np.zeros(BLOCK, np.float32)
                pushed = time.perf_counter()
                ring.push(block)
                carried.pushes.append(1000 * (time.perf_counter() - pushed))
            starts = [start + BLOCK for start in starts]
            time.sleep(max(0.0, began + (number + 1) * BLOCK / RATE - time.monotonic()))
        time.sleep(MOST_MS / 1000)
        carried.megabytes = megabytes(os.getpid())
        carried.skipped = sum(session.snapshot.skipped for session in open_)
    finally:
        engine.close()
    return carried
