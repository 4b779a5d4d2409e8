"""Trials are every pair once, the same every time; a bad manifest says what to do about it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakerid.evaluate import EvaluationError
from speakerid.evaluate.trials import all_pairs, read_manifest

HEADER = "path,corpus,speaker,sex,split,seconds\n"


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=9))
def test_all_pairs_is_every_pair_once(speakers):
    pairs = list(itertools.combinations(range(len(speakers)), 2))
    same = [speakers[i] == speakers[j] for i, j in pairs]
    if all(same) or not any(same):
        with pytest.raises(EvaluationError, match="two speakers"):
            all_pairs(speakers)
        return
    trials = all_pairs(speakers)
    assert list(zip(trials.enroll.tolist(), trials.test.tolist(), strict=True)) == pairs
    assert trials.target.tolist() == same and trials.pairs == len(trials) == len(pairs)


def test_sampling_keeps_every_target_and_is_repeatable():
    speakers = [str(i // 3) for i in range(60)]
    trials, again = all_pairs(speakers, limit=200), all_pairs(speakers, limit=200)
    assert len(trials) == 200 and trials.target.sum() == 20 * 3 and trials.pairs == 60 * 59 // 2
    assert np.array_equal(trials.enroll, again.enroll) and np.array_equal(trials.test, again.test)
    assert len({*zip(trials.enroll.tolist(), trials.test.tolist(), strict=True)}) == 200


def test_manifest_keeps_the_split_and_resolves_paths(tmp_path):
    table = tmp_path / "m.csv"
    table.write_text(HEADER + "a/1.wav,x,ann,f,dev,3\na/2.wav,y,bob,m,dev,3\nb/3.wav,x,ann,f,train,3\n")
    first, second = read_manifest(table, "dev")
    assert (first.path, first.label, first.speaker) == (tmp_path / "a/1.wav", "a/1.wav", "ann")
    assert second.corpus == "y" and len(read_manifest(table)) == 3
    assert [u.label for u in read_manifest(table, None, "x")] == ["a/1.wav", "b/3.wav"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,speaker\n", "lacks the column corpus"),
        (HEADER, "the splits in it are: none"),
        (HEADER + "1.wav,x,ann,f,train,3\n", "no recording with split dev; the splits in it are: train"),
        (HEADER + "1.wav,x,ann,f,dev,3\n1.wav,x,bob,f,dev,3\n", "lists 1.wav twice, on lines 2 and 3"),
        (HEADER + "1.wav,x,,f,dev,3\n", "line 2, has no speaker"),
        (HEADER + ",x,ann,f,dev,3\n", "line 2, has no path"),
        (HEADER + "1.wav\n", "the splits in it are"),
    ],
)
def test_bad_manifests_say_what_to_do(tmp_path, text, message):
    table = tmp_path / "m.csv"
    table.write_text(text)
    with pytest.raises(EvaluationError, match=message):
        read_manifest(table, "dev")


def test_manifest_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(EvaluationError, match="no manifest at"):
        read_manifest(tmp_path / "none.csv")
    with pytest.raises(EvaluationError, match="cannot be read as a CSV file"):
        read_manifest(tmp_path)
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\xd8\x00")
    with pytest.raises(EvaluationError, match="cannot be read as a CSV file"):
        read_manifest(tmp_path / "b.csv")
