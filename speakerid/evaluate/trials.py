"""Trials: pairs of recordings, of one speaker (target) or of two (non-target), made from a manifest."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speakerid.evaluate import EvaluationError

COLUMNS = ("path", "corpus", "speaker", "split")
MORE_COLUMNS = ("sex", "age", "language")  # read where they are there
MAX_TRIALS = 1_000_000  # a corpus; 1,400 recordings give that many pairs


@dataclass(frozen=True)
class Utterance:
    """One labelled recording of a manifest; `label` is its path as the manifest writes it.

    sex ("f", "m"), age (years) and language are "" where the manifest does not tell.
    """

    path: Path
    label: str
    corpus: str
    speaker: str
    split: str
    sex: str = ""
    age: str = ""
    language: str = ""


@dataclass(frozen=True)
class Trials:
    """Pairs of recordings by index.

    Attributes:
        enroll, test: int [t], indexes into the recordings, enroll < test.
        target: bool [t], both recordings are of one speaker.
        pairs: how many pairs there are in all; more than t where non-targets were sampled.
    """

    enroll: np.ndarray
    test: np.ndarray
    target: np.ndarray
    pairs: int

    def __len__(self) -> int:
        return len(self.target)


def read_manifest(path: str | Path, split: str | None = None, corpus: str = "") -> list[Utterance]:
    """Read a CSV with the columns path (relative to the CSV), corpus, speaker, split; others are ignored.

    Args:
        split: keep only these rows; None keeps all.
        corpus: keep only the corpora whose name starts with this.

    Raises:
        EvaluationError: the file is missing, is no such table, repeats a recording, or has no row to keep.
    """
    path = Path(path)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise EvaluationError(
                    f"{path} lacks the column {missing[0]}; a manifest is a CSV file with the columns "
                    f"{', '.join(COLUMNS)}."
                )
            rows = list(enumerate(reader, start=2))
    except FileNotFoundError:
        raise EvaluationError(
            f"There is no manifest at {path}; give the path of a CSV file that lists recordings and speakers."
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(
            f"{path} cannot be read as a CSV file ({error}); save it as UTF-8 CSV with the columns "
            f"{', '.join(COLUMNS)}."
        ) from error
    return _keep(path, rows, split, corpus)


def _keep(path: Path, rows: list[tuple[int, dict]], split: str | None, corpus: str) -> list[Utterance]:
    kept: list[Utterance] = []
    seen: dict[str, int] = {}
    for line, row in rows:
        values = {name: (row[name] or "").strip() for name in COLUMNS}
        if (split is not None and values["split"] != split) or not values["corpus"].startswith(corpus):
            continue
        for name in ("path", "speaker"):
            if not values[name]:
                raise EvaluationError(f"{path}, line {line}, has no {name}; fill it in or delete the line.")
        if values["path"] in seen:
            raise EvaluationError(
                f"{path} lists {values['path']} twice, on lines {seen[values['path']]} and {line}; "
                "delete one of them."
            )
        seen[values["path"]] = line
        place = path.parent / values["path"]
        more = [(row.get(name) or "").strip() for name in MORE_COLUMNS]
        kept.append(
            Utterance(place, values["path"], values["corpus"], values["speaker"], values["split"], *more)
        )
    if not kept:
        there = sorted({(row["split"] or "").strip() for _, row in rows})
        raise EvaluationError(
            f"{path} has no recording with split {split or 'any'}"
            + (f" and a corpus that starts with {corpus}" if corpus else "")
            + f"; the splits in it are: {', '.join(there) or 'none'}."
        )
    return kept


def all_pairs(speakers: Sequence[str], limit: int = MAX_TRIALS, seed: int = 0) -> Trials:
    """All pairs of recordings, each once; the same speakers always give the same trials.

    Where there would be more than `limit`, every target is kept and the non-targets are sampled without
    replacement: error rates of non-targets are shares, so sampling leaves them unbiased.

    Args:
        speakers: who speaks in each recording, [n].

    Raises:
        EvaluationError: there is no target or no non-target among the pairs.
    """
    _, who = np.unique(np.asarray(speakers), return_inverse=True)
    enroll, test = np.triu_indices(len(who), k=1)
    target = who[enroll] == who[test]
    if not target.any() or target.all():
        raise EvaluationError(
            "Error rates need at least two speakers and one speaker with two recordings; add recordings."
        )
    pairs = len(target)
    if pairs > limit:
        others = np.flatnonzero(~target)
        count = max(limit - int(target.sum()), 1)
        if count < len(others):
            others = np.random.default_rng(seed).choice(others, count, replace=False)
        keep = np.sort(np.concatenate([np.flatnonzero(target), others]))
        enroll, test, target = enroll[keep], test[keep], target[keep]
    return Trials(enroll, test, target, pairs)
