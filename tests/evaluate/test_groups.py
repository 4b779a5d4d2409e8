"""Who is served worse: error rates of groups at the threshold that all share."""

from pathlib import Path

import numpy as np
import pytest

from speakerid.evaluate.groups import FEWEST_SPEAKERS, measure
from speakerid.evaluate.trials import Utterance, all_pairs
from speakerid.evaluate.verification import Result

SPEAKERS = 12  # half of them women, who speak Czech; two recordings each


@pytest.fixture
def utterances():
    return [
        Utterance(
            Path(f"{k}-{turn}"), f"{k}-{turn}", "c", f"s{k}", "dev", "fm"[k % 2], "", ("cs", "pt")[k % 2]
        )
        for k in range(SPEAKERS)
        for turn in range(2)
    ]


def result(utterances, score, length="2 s"):
    trials = all_pairs([one.speaker for one in utterances])
    pairs = zip(trials.enroll, trials.test, trials.target, strict=True)
    scores = np.array([score(utterances[a], utterances[b], same) for a, b, same in pairs])
    labels = [one.label for one in utterances]
    return Result("m", "clean", "c", length, "cosine", labels, trials, scores, {"eer_threshold": 0.5})


def test_a_group_whose_voices_are_missed_is_shown_first(utterances):
    rows = measure([result(utterances, lambda a, b, same: same and a.sex == "m")], utterances)
    assert [(row["by"], row["group"], row["missed"], row["taken"]) for row in rows] == [
        ("sex", "women", 1.0, 0.0),
        ("sex", "men", 0.0, 0.0),
        ("language", "cs", 1.0, 0.0),
        ("language", "pt", 0.0, 0.0),
    ]
    assert {row["speakers"] for row in rows} == {SPEAKERS // 2}
    assert {row["target_trials"] for row in rows} == {SPEAKERS // 2}


def test_people_of_one_language_who_are_taken_for_each_other_are_shown_first(utterances):
    alike = result(utterances, lambda a, b, same: same or a.language == b.language == "pt")
    first = next(row for row in measure([alike], utterances) if row["by"] == "language")
    assert (first["group"], first["missed"], first["taken"]) == ("pt", 0.0, 1.0)


def test_pairs_across_groups_count_for_neither(utterances):
    across = result(utterances, lambda a, b, same: same or a.sex != b.sex)
    assert {row["taken"] for row in measure([across], utterances)} == {0.0}


def test_small_groups_and_other_lengths_are_left_out(utterances):
    few = [one for one in utterances if int(one.speaker[1:]) < 2 * FEWEST_SPEAKERS - 1]
    assert measure([result(few, lambda a, b, same: same)], few) == []
    assert measure([result(utterances, lambda a, b, same: same, "whole")], utterances) == []


def test_nothing_is_said_where_the_manifest_does_not_tell(utterances):
    silent = [Utterance(one.path, one.label, "c", one.speaker, "dev") for one in utterances]
    assert measure([result(silent, lambda a, b, same: same)], silent) == []
