"""Batches made beside the training: processes of their own keep queues of them full.

Making a batch (voices, rooms, codecs, the teacher's answers) costs a third of a step on a processor; done in
another process it costs the training nothing. A CUDA device, whose steps are shorter, needs several.
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
    """Gives batches of crops, all of one length, out of processes that make them ahead, each in its turn.

    Args:
        processes: that make crops; each keeps a pool of voices of its own.
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
        processes: int = 1,
    ):
        context = mp.get_context("spawn")
        self._queues = [context.Queue(AHEAD) for _ in range(processes)]
        self._turn = 0
        for number, sink in enumerate(self._queues):
            seeds = ([*seed, number], [*pace_seed, number])
            sizes = (seconds_per_step, voices_per_step, first_voices)
            context.Process(target=_feed, args=(sink, prepared, mix, *seeds, *sizes), daemon=True).start()

    def next(self) -> tuple[float, Batch]:
        """Seconds of a crop, and the batch.

        Raises:
            RuntimeError: the process whose turn it is has died.
        """
        source = self._queues[self._turn]
        self._turn = (self._turn + 1) % len(self._queues)
        try:
            seconds, fields = source.get(timeout=PATIENCE)
        except queue.Empty:
            raise RuntimeError("A process that makes the training crops has stopped.") from None
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
