"""Batches made beside the training: a process of its own keeps a queue of them full.

Making a batch (voices, rooms, codecs, the teacher's answers) costs a third of a step; done in another
process it costs the training nothing.
"""

import queue
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as mp

from speakerid.evaluate.campplus import Teacher
from speakerid.training import corpus as corpora
from speakerid.training.crops import Batch, CropSource
from speakerid.training.prepare import load_head, load_surroundings

LENGTHS = (0.6, 0.8, 1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 3.6)  # seconds of a crop
LENGTH_ODDS = (1, 1, 2, 2, 2, 3, 2, 2, 1)
AHEAD = 24  # batches that wait in the queue
GROWN_AT_ONCE = 4  # voices that the teacher hears together
PATIENCE = 300.0  # seconds until a batch must have come


class Feeder:
    """Gives batches of crops, all of one length, out of a process that makes them ahead.

    Args:
        mix: how often each corpus is drawn, by the start of its name.
        seed: of the voices and the spoiling; each training process has its own.
        pace_seed: of the crops' lengths; the same in all processes, so that they have equal work.
    """

    def __init__(
        self,
        prepared: Path,
        mix: dict[str, float],
        seed: list[int],
        pace_seed: list[int],
        seconds_per_step: float,
        voices_per_step: float,
        first_voices: int,
    ):
        context = mp.get_context("spawn")
        self._queue = context.Queue(AHEAD)
        arguments = (self._queue, prepared, mix, seed, pace_seed, seconds_per_step, voices_per_step)
        self._process = context.Process(target=_feed, args=(*arguments, first_voices), daemon=True)
        self._process.start()

    def next(self) -> tuple[float, Batch]:
        """Seconds of a crop, and the batch.

        Raises:
            RuntimeError: the process that makes them has died.
        """
        try:
            seconds, fields = self._queue.get(timeout=PATIENCE)
        except queue.Empty:
            raise RuntimeError("The process that makes the training crops has stopped.") from None
        return seconds, Batch(**{name: torch.from_numpy(value) for name, value in fields.items()})


def _feed(
    sink, prepared: Path, mix, seed, pace_seed, seconds_per_step: float, voices_per_step: float, first: int
) -> None:
    torch.set_num_threads(1)
    corpus = corpora.load(prepared)
    corpus = corpus.without(corpora.held_out(corpus))
    source = CropSource(corpus, Teacher(), load_head(prepared), load_surroundings(prepared), mix, seed)
    for _ in range(0, first, GROWN_AT_ONCE):
        source.grow(GROWN_AT_ONCE)
    pace = np.random.default_rng(pace_seed)
    owed = 0.0
    while True:
        owed += voices_per_step
        if owed >= GROWN_AT_ONCE:
            source.grow(GROWN_AT_ONCE)
            owed -= GROWN_AT_ONCE
        seconds = float(pace.choice(LENGTHS, p=np.array(LENGTH_ODDS) / sum(LENGTH_ODDS)))
        batch = source.batch(seconds, int(np.clip(seconds_per_step / seconds, 8, 28)))
        item = (seconds, {name: value.numpy() for name, value in vars(batch).items()})
        while True:
            try:
                sink.put(item, timeout=5)
                break
            except queue.Full:  # a trainer that was killed reads no more
                parent = mp.parent_process()
                if parent is None or not parent.is_alive():
                    return
