"""How far a run is: equal error rates on the speakers that no network was trained on."""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from speakerid.audio.format import RATE
from speakerid.model.ecapa import EcapaTdnn
from speakerid.model.features import log_mel
from speakerid.training import corpus as corpora
from speakerid.training.distill import network_of

CLIPS_PER_SPEAKER = 8
LONGEST = 5 * RATE  # a long recording counts as several pieces of this length


def check(prepared: Path, run_folder: Path) -> dict[str, float]:
    """Print and return the EER of whole recordings and of 1 and 2 s from their middle, per corpus."""
    corpus = corpora.load(prepared)
    corpus = corpus.only(corpora.held_out(corpus))
    network = network_of(run_folder)
    results: dict[str, float] = {}
    for name in sorted({clip.corpus for clip in corpus.clips}):
        waves, speakers = [], []
        for speaker, clips in corpus.by_speaker().items():
            audio = [corpus.audio(c) for c in clips if c.corpus == name]
            pieces = [
                a[s : s + LONGEST] for a in audio for s in range(0, max(1, len(a) - LONGEST // 2), LONGEST)
            ]
            waves += pieces[:CLIPS_PER_SPEAKER]
            speakers += [speaker] * len(pieces[:CLIPS_PER_SPEAKER])
        for label, seconds in {"whole": None, "2 s": 2.0, "1 s": 1.0}.items():
            embeddings = embed(network, [middle(w, seconds) for w in waves])
            results[f"{name} {label}"] = eer(embeddings, np.array(speakers))
    print(" | ".join(f"{name}: {value:.2%}" for name, value in results.items()), flush=True)
    return results


def middle(wave: np.ndarray, seconds: float | None) -> np.ndarray:
    """So many seconds from the middle of a wave [n]; the whole where it is shorter, or for None."""
    if seconds is None or len(wave) <= seconds * RATE:
        return wave
    start = (len(wave) - int(seconds * RATE)) // 2
    return wave[start : start + int(seconds * RATE)]


@torch.inference_mode()
def embed(network: EcapaTdnn, waves: list[np.ndarray]) -> np.ndarray:
    """Unit embeddings [n, 192]."""
    rows = [F.normalize(network(log_mel(torch.from_numpy(w)[None])), dim=1) for w in waves]
    return torch.cat(rows).numpy()


def eer(embeddings: np.ndarray, speakers: np.ndarray) -> float:
    """Equal error rate over all pairs, by cosine."""
    first, second = np.triu_indices(len(embeddings), 1)
    order = np.argsort(-np.einsum("ij,ij->i", embeddings[first], embeddings[second]))
    same = (speakers[first] == speakers[second])[order]
    missed = 1 - np.cumsum(same) / same.sum()
    passed = np.cumsum(~same) / (~same).sum()
    at = int(np.argmin(np.abs(missed - passed)))
    return float(missed[at] + passed[at]) / 2
