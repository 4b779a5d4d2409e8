"""What `from speakerid import …` offers a programmer, and what it says where something is wrong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import voices

import speakerid
from speakerid import Consent, Decision, Gallery, Listener, compare, load
from speakerid.errors import AudioError, EnrollmentRefused, GalleryError, ModelError

CONSENT = Consent.now("A synthetic voice.", "tests")


@pytest.fixture
def gallery(tmp_path) -> Gallery:
    return Gallery.open(tmp_path / "voiceprints")


@pytest.fixture(scope="module")
def ogg() -> dict[str, list[Path]]:
    return {name: voices.enrollment_files(name) for name in ("Alice", "Edgar")}


def test_a_file_is_one_block(ogg):
    block = load(ogg["Alice"][0])
    assert block.dtype == np.float32 and block.ndim == 1
    assert len(block) == pytest.approx(len(voices.enrollment("Alice")[0]), abs=200)
    assert np.array_equal(block, load(str(ogg["Alice"][0])))
    assert np.array_equal(block, load(ogg["Alice"][0].read_bytes()))


def test_what_was_lost_of_a_file_is_a_warning(ogg, tmp_path):
    cut = tmp_path / "cut.wav"
    whole = voices.write_wav(tmp_path / "whole.wav", voices.enrollment("Alice")[0]).read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match=r"cut\.wav is cut off"):
        load(cut)
    with pytest.raises(AudioError, match="nowhere"):
        load("nowhere.m4a")


def test_one_array_gives_one_row(encoder):
    block = voices.turn("Alice", 0)
    assert encoder.embed(block).shape == (1, 192)
    assert np.array_equal(encoder.embed(block), encoder.embed([block]))
    assert encoder.embed(np.stack([block, block])).shape == (2, 192)
    for wrong in (block.astype(np.int16), np.array(0.5, np.float32), "a.wav", Path("a.wav"), None):
        with pytest.raises(ModelError, match="float32 array"):
            encoder.embed(wrong)


def test_enrolling_takes_files_and_arrays_alone_or_together(encoder, gallery, ogg):
    one, other = ogg["Alice"]
    assert gallery.enroll("a file", one, encoder, consent=CONSENT).exemplars > 1
    gallery.remove("a file")
    gallery.enroll("an array", load(one), encoder, consent=CONSENT)
    gallery.remove("an array")
    report = gallery.enroll("Alice", [str(one), load(other)], encoder, consent=CONSENT)
    assert set(gallery.get("Alice").sources) == {one.name, "recording 2"} and len(report.quality) == 2
    with pytest.raises(AudioError, match="nowhere"):
        gallery.enroll("Bob", ["nowhere.wav"], encoder, consent=CONSENT)
    with pytest.raises(EnrollmentRefused, match="No recording was given"):
        gallery.enroll("Bob", [], encoder, consent=CONSENT)
    assert [person.name for person in gallery.speakers()] == ["Alice"]


def test_what_was_lost_of_a_file_is_in_the_report(encoder, gallery, tmp_path):
    whole = voices.write_wav(tmp_path / "cut.wav", voices.enrollment("Alice")[0]).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[:-30_000])
    report = gallery.enroll("Alice", tmp_path / "cut.wav", encoder, consent=CONSENT)
    assert any("cut.wav is cut off" in warning for warning in report.warnings)


@pytest.mark.parametrize("consent", [True, "yes", 1, {"text": "yes"}])
def test_a_consent_that_is_none_gets_a_sentence(encoder, gallery, ogg, consent):
    with pytest.raises(GalleryError, match=r"consent=Consent\.now\(text, source\)"):
        gallery.enroll("Alice", ogg["Alice"], encoder, consent=consent)
    assert gallery.speakers() == []


@pytest.mark.parametrize("parts", [("yes", "cli", 1), (1, "cli"), ("yes", None), ("yes", "cli", None)])
def test_a_consent_of_anything_but_texts_cannot_be_made(parts):
    with pytest.raises(GalleryError, match="three texts"):
        Consent.now(*parts)


def test_two_recordings_of_one_voice_and_of_two(ogg):
    same = compare(*ogg["Alice"])
    other = compare(ogg["Alice"][0], ogg["Edgar"][0])
    assert same.probability > 0.95 and other.probability < 0.05 and same.calibrated
    assert same.llr > 0 > other.llr and same.cosine > other.cosine and min(same.seconds) > 5
    assert compare(ogg["Edgar"][0], ogg["Alice"][0]).llr == pytest.approx(other.llr, abs=1e-4)


def test_voices_may_be_arrays_and_lists(encoder, ogg):
    turns = [voices.turn("Alice", k) for k in range(3)]
    assert compare(turns, ogg["Alice"], encoder).probability > 0.95
    assert compare(turns[0], ogg["Edgar"], encoder).probability < 0.2


def test_a_voice_that_is_none_is_told(encoder, ogg):
    quiet = np.random.default_rng(0).normal(0, 0.01, 32_000).astype(np.float32)
    with pytest.raises(AudioError, match="Nobody speaks in the second recording"):
        compare(ogg["Alice"][0], quiet, encoder)
    with pytest.raises(ModelError, match="not finite"):
        compare(np.full(16_000, np.nan, np.float32), ogg["Alice"][0], encoder)


def test_things_tell_what_they_are_in_a_line(encoder, gallery, ogg):
    gallery.enroll("Alice", ogg["Alice"][0], encoder, consent=CONSENT)
    listener = Listener(encoder, gallery)
    (alice,) = gallery.speakers()
    decision = Decision(1.25, "Alice", 0.5, {"Alice": 0.5}, embedding=alice.embeddings[0])
    for thing in (encoder, gallery, alice, listener, decision, compare(*ogg["Alice"])):
        assert repr(thing).startswith(f"<{type(thing).__name__} ") and len(repr(thing)) < 120, repr(thing)
    assert "Alice" in repr(alice) and encoder.id in repr(encoder) and "50%" in repr(decision)


def test_every_name_is_there_and_none_costs_torch_before_it_is_used():
    names = sorted(speakerid.__all__)
    code = (
        f"import sys, speakerid; [getattr(speakerid, n) for n in {names}]; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
    assert {"Encoder", "Gallery", "Listener", "Decision", "Consent", "compare", "load"} <= set(names)


def test_type_checkers_read_the_types():
    assert (Path(speakerid.__file__).parent / "py.typed").exists()
