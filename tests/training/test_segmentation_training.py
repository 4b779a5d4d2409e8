"""Made-up meetings, the truth in slots, the loss, and the way from a run to a file that runs."""

import json

import numpy as np
import pytest
import torch
from support import voices

from speakerid.model.segmentation import FRAME, SETS, STEP, Segmenter
from speakerid.training import segmentation as training
from speakerid.training.augment import Surroundings
from speakerid.training.meetings import MeetingSource, voiced
from speakerid.training.segmentation_examples import features_of
from speakerid.training.segmentation_graph import ship_segmentation
from speakerid.training.slots import count_loss_of, loss_of, slots_of


def test_meetings_are_the_same_for_the_same_seed_and_tell_who_speaks(corpus):
    around = Surroundings([], [])
    first, again = (MeetingSource(corpus, around, 3).meeting(20.0) for _ in range(2))
    assert np.array_equal(first.samples, again.samples) and np.array_equal(first.speaking, again.speaking)
    assert first.samples.dtype == np.float32 and np.abs(first.samples).max() <= 1
    assert first.speaking.shape == (len(first.speakers), len(first.samples) // FRAME)
    source = MeetingSource(corpus, around, 0)
    made = [source.meeting(20.0) for _ in range(12)]
    overlap = [float((one.speaking.sum(axis=0) > 1).mean()) for one in made]
    assert max(overlap) > 0.05 and min(overlap) == 0
    assert len({len(one.speakers) for one in made}) > 2
    for one in made:  # what is louder is where somebody speaks
        power = np.square(one.samples.reshape(-1, FRAME)).mean(axis=1)
        said = one.speaking.any(axis=0)
        assert np.median(power[said]) > np.median(power[~said])


def test_pauses_in_a_clip_are_no_speech():
    piece = np.concatenate([np.ones(4096), np.zeros(8192), np.ones(4096), np.zeros(2048), np.ones(2048)])
    found = voiced(piece.astype(np.float32))
    assert found.tolist() == [True] * 16 + [False] * 32 + [True] * 32  # 0.13 s is no pause


def speaking(*turns: tuple[int, int, int], people: int = 5, frames: int = 100) -> np.ndarray:
    rows = np.zeros((people, frames), bool)
    for person, start, end in turns:
        rows[person, start:end] = True
    return rows


def test_voices_keep_their_slots_until_a_fourth_needs_one():
    sets = slots_of(speaking((0, 0, 10), (1, 8, 20), (0, 30, 40), (2, 45, 50), (3, 60, 70), (0, 80, 90)))
    members = [SETS[k] for k in sets]
    assert members[5] == (0,) and members[9] == (0, 1) and members[15] == (1,)
    assert members[35] == (0,) and members[47] == (2,) and members[55] == ()
    assert members[65] == (1,)  # silent longest
    assert members[85] == (0,)


def test_of_three_at_once_two_are_told():
    sets = slots_of(speaking((0, 0, 50), (1, 10, 50), (2, 20, 60)))
    assert SETS[sets[30]] == (0, 1) and SETS[sets[55]] == (2,)


def test_the_loss_does_not_care_which_slot_is_whose():
    sets = torch.from_numpy(slots_of(speaking((0, 0, 300), (1, 200, 500), (2, 450, 700), frames=750)))[None]
    sure = torch.nn.functional.one_hot(sets, len(SETS)).float() * 20
    swapped = torch.tensor([0, 3, 2, 1, 6, 5, 4])[sets]  # the first slot for the third
    other = torch.nn.functional.one_hot(swapped, len(SETS)).float() * 20
    for logits, named in ((sure, sets), (other, swapped)):
        loss, renamed = loss_of(logits, sets)
        assert loss < 1e-3 and torch.equal(renamed, named)
        assert count_loss_of(logits, sets) < 1e-3
    assert count_loss_of(torch.zeros(1, 750, len(SETS)), sets) == pytest.approx(
        -np.mean([np.log([1, 3, 3][len(SETS[k])] / 7) for k in sets[0]]), abs=1e-3
    )
    flat, _ = loss_of(torch.zeros(1, 750, len(SETS)), sets)
    assert flat == pytest.approx(np.log(7), abs=1e-3)


@pytest.fixture(scope="module")
def run_folder(prepared, tmp_path_factory):
    """A short run on the test voices, broken off and gone on with."""
    out = tmp_path_factory.mktemp("run")
    patch = pytest.MonkeyPatch()
    patch.setattr(training, "TEST_MEETINGS", 1)
    options = {"meetings": 2, "first": 3, "rate": 3e-3, "warm_up": 2, "averaging": 0.5}
    for steps in (3, 8):
        training.train_segmentation(prepared, out, {**options, "steps": steps})
    patch.undo()
    return out


def test_a_run_learns_and_goes_on_where_it_stopped(run_folder):
    rows = [json.loads(line) for line in (run_folder / "log.jsonl").read_text().splitlines()]
    tests = [(row["step"], row["held_out"]["loss"]) for row in rows if "held_out" in row]
    assert [step for step, _ in tests] == [3, 8]
    assert tests[1][1] < tests[0][1] < np.log(7)


def test_the_file_gives_the_numbers_of_the_network(run_folder, tmp_path, monkeypatch):
    ship_segmentation(run_folder, tmp_path / "shipped.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["shipped.onnx"]
    samples = voices.conversation(["Alice", "Bruno"])[0][: 150 * STEP]
    found = Segmenter.load(tmp_path / "shipped.onnx").whole(samples)
    monkeypatch.setattr("speakerid.training.precision._bfloat16_is_faster", lambda: False)
    network = training.network_of(run_folder)
    padded = np.pad(samples, (0, training.DELAY * STEP))
    with torch.inference_mode():
        features = torch.from_numpy(features_of(padded))[None]
        logits = network(features, network.silence(1))[0][0, training.DELAY :].flatten(0, 1)
    members = np.array([[voice in one for voice in range(3)] for one in SETS], np.float32)
    assert np.abs(logits.softmax(dim=1).numpy() @ members - found).max() < 2e-3  # float16 on disk
