"""How often would it be wrong about your own people? The equal error rate of a folder of recordings.

python -m speakerid.examples.your_error_rate people/        with people/Ada/1.wav, people/Ada/2.wav, …
"""

import sys
from itertools import combinations
from pathlib import Path

import numpy as np

from speakerid import Encoder, load
from speakerid.evaluate.metrics import Scores


def main(folder: str) -> None:
    # One sub-folder a person, with two recordings or more in each. Recordings of one day and one microphone
    # make the task easier than it will be; take some of other days and rooms.
    files = sorted(path for path in Path(folder).glob("*/*") if path.is_file())
    people = [path.parent.name for path in files]

    # Every recording becomes one embedding, a row of unit length.
    embeddings = Encoder.load().embed([load(path) for path in files])

    # A trial is a pair of recordings, and its score is their cosine. Some pairs are of one person, and the
    # others are not: a threshold between them makes two kinds of error.
    pairs = list(combinations(range(len(files)), 2))
    scores = np.array([embeddings[i] @ embeddings[j] for i, j in pairs])
    same = np.array([people[i] == people[j] for i, j in pairs])
    if same.all() or not same.any():
        sys.exit("Give at least two people, and at least two recordings of one of them.")

    # At the threshold of the equal error rate, both kinds are as frequent. With few people it is a rough
    # guess: `python -m speakerid evaluate` gives intervals, and figures for 1, 2 and 3 s of speech.
    print(f"{len(set(people))} people, {same.sum()} pairs of one person, {(~same).sum()} of two")
    print(f"equal error rate {Scores(scores[same], scores[~same]).eer():.1%}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
