"""What makes a voiceprint and what is refused, with the bundled model and synthetic voices."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from people import CONSENT, voiceprint
from support import voices

from speakerid.errors import EnrollmentRefused, GalleryError
from speakerid.gallery import Gallery
from speakerid.gallery.exemplars import MAX_EXEMPLARS, Exemplars, choose
from speakerid.gallery.opening import open_store
from speakerid.gallery.voiceprint import unit

RATE = 16_000


@pytest.fixture
def gallery(tmp_path):
    return Gallery.open(tmp_path / "voiceprints")


def first(name: str) -> np.ndarray:
    """A recording of about 12 s."""
    return voices.enrollment(name)[0]


def second(name: str) -> np.ndarray:
    return voices.enrollment(name)[1]


def noise(samples: int, level: float = 0.05) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal(samples) * level).astype(np.float32)


def refused(gallery, encoder, name, blocks, **more) -> str:
    """The sentence that a person reads when the enrollment is refused; nothing was stored."""
    before = gallery.revision()
    with pytest.raises(EnrollmentRefused) as caught:
        gallery.enroll(name, blocks, encoder, consent=CONSENT, **more)
    assert gallery.revision() == before
    assert caught.value.reasons and str(caught.value) == " ".join(caught.value.reasons)
    return str(caught.value)


def test_a_good_recording_is_stored_with_all_that_is_known_of_it(gallery, encoder):
    report = gallery.enroll(" Alice", [first("Alice")], encoder, consent=CONSENT, sources=["kitchen.wav"])
    assert (report.name, report.warnings) == ("Alice", [])
    assert report.added == report.exemplars == 5  # four windows of 3 s and the whole
    assert 9 < report.speech_seconds <= report.quality[0].seconds < 14
    (alice,) = gallery.speakers()
    assert (alice.name, alice.model, alice.consent) == ("Alice", encoder.id, CONSENT)
    assert alice.embeddings.shape == (5, 192) and alice.sources == ("kitchen.wav",) * 5
    assert np.linalg.norm(alice.embeddings, axis=1) == pytest.approx(1, abs=1e-5)
    assert alice.seconds[1:] == pytest.approx(report.speech_seconds / 4, abs=0.01)
    assert float(alice.seconds[0]) == pytest.approx(report.speech_seconds, abs=0.01)


def test_a_later_session_adds_exemplars_up_to_the_limit(gallery, encoder):
    gallery.enroll("Alice", [first("Alice")], encoder, consent=CONSENT, sources=["monday"])
    before = gallery.get("Alice")
    for day in ("tuesday", "wednesday"):
        report = gallery.enroll("Alice", [second("Alice")], encoder, consent=CONSENT, sources=[day])
    alice = gallery.get("Alice")
    assert report.exemplars == len(alice.embeddings) == MAX_EXEMPLARS
    assert alice.id == before.id and alice.created == before.created
    assert {"monday", "tuesday"} <= set(alice.sources)
    assert [consent.given_at for consent in alice.earlier_consents] == [CONSENT.given_at]


class Fake:
    """A model whose numbers depend on the samples and on nothing else, and are alike."""

    id = "model-1"

    def embed(self, blocks):
        rows = [np.random.default_rng(abs(int(block.sum() * 1e4))).standard_normal(192) for block in blocks]
        return unit(np.full(192, 2.0) + np.stack(rows))


def test_a_recording_counts_once_however_often_it_is_given(gallery):
    one, two = first("Alice"), second("Alice")
    consent = replace(CONSENT, version="2")
    gallery.enroll("Alice", [one], Fake(), consent=consent, sources=["a.wav"])
    before = gallery.get("Alice")
    again = gallery.enroll("Alice", [one], Fake(), consent=consent, sources=["copy of a.wav"])
    assert again.added == 0 and again.exemplars == len(before.embeddings)
    assert again.warnings == [
        '"Alice" is already enrolled from this recording: "copy of a.wav" was not used again.'
    ]
    assert gallery.get("Alice") is before, "nothing is written"
    both = gallery.enroll("Alice", [one, two], Fake(), consent=CONSENT, sources=["x.wav", "x.wav"])
    assert both.added > 0 and '"x.wav" was not used again' in both.warnings[0] and len(both.warnings) == 1
    alice = gallery.get("Alice")
    assert set(alice.sources) == {"a.wav", "x.wav (2)"}
    assert alice.earlier_consents == (consent,) and alice.consent == CONSENT


def test_a_recording_that_is_known_may_still_be_kept(gallery):
    one, two = first("Alice"), second("Alice")
    gallery.enroll("Alice", [one], Fake(), consent=CONSENT)
    report = gallery.enroll("Alice", [one], Fake(), consent=CONSENT, keep_recordings=True)
    alice = gallery.get("Alice")
    assert report.added == 0 and len(set(alice.recordings)) == 1 and alice.recordings[0]
    assert gallery.recording_counts() == {alice.id: 1} and alice.consent.keep_recordings
    gallery.enroll("Alice", [one, two], Fake(), consent=CONSENT)
    assert gallery.recording_counts() == {alice.id: 1}
    assert gallery.get("Alice").consent.keep_recordings, "the older recording is kept still"
    gallery.remove_recordings("Alice")
    assert not gallery.get("Alice").consent.keep_recordings


def test_the_voice_is_told_from_others(gallery, encoder):
    for name in ("Alice", "Bruno", "Callum"):
        gallery.enroll(name, voices.enrollment(name), encoder, consent=CONSENT)
    people = gallery.speakers()
    for person in people:
        turns = encoder.embed([voices.turn(person.name, number) for number in range(3)])
        scores = np.stack([other.centroid for other in people]) @ turns.T
        assert [people[best].name for best in scores.argmax(axis=0)] == [person.name] * 3


def test_short_recordings_add_up(gallery, encoder):
    speech = first("Bruno")
    pieces = [speech[start : start + int(1.4 * RATE)] for start in range(0, 8 * RATE, int(1.4 * RATE))]
    report = gallery.enroll("Bruno", pieces, encoder, consent=CONSENT)
    assert report.speech_seconds >= 5 and len(report.quality) == len(pieces)
    assert "recording 1, recording 2" in gallery.get("Bruno").sources[0]


def test_the_same_recording_twice_at_once_counts_once_towards_the_seconds(gallery, encoder):
    three = first("Bruno")[: 3 * RATE]
    louder = np.clip(three * np.float32(1.5), -1, 1)
    with pytest.raises(EnrollmentRefused, match=r"There are 2\.\d seconds of usable speech and 5 are needed"):
        gallery.enroll("Bruno", [three, louder], encoder, consent=CONSENT, sources=["a.wav", "b.mp3"])
    whole, other = first("Bruno"), second("Bruno")
    report = gallery.enroll(
        "Bruno", [whole, whole.copy(), other], encoder, consent=CONSENT, sources=["a.wav", "b.wav", "c.wav"]
    )
    assert '"b.wav" is the same recording as "a.wav": it counts once.' in report.warnings
    assert report.speech_seconds < (len(whole) + len(other)) / RATE


def test_nothing_is_stored_without_consent(gallery, encoder):
    for consent in (None, replace(CONSENT, text="")):
        with pytest.raises(GalleryError, match="Consent is missing"):
            gallery.enroll("Alice", [first("Alice")], encoder, consent=consent)
    assert not gallery.folder.exists()


def test_silence_is_refused(gallery, encoder):
    told = refused(gallery, encoder, "Alice", [np.zeros(10 * RATE, np.float32)], sources=["a.wav"])
    assert told == '"a.wav" is silent: check that the right microphone is chosen and not muted.'


def test_no_recording_at_all_is_refused(gallery, encoder):
    assert "No recording was given" in refused(gallery, encoder, "Alice", [])
    assert "is silent" in refused(gallery, encoder, "Alice", [np.zeros(0, np.float32)])


def test_noise_without_speech_is_refused(gallery, encoder):
    assert "No speech is heard" in refused(gallery, encoder, "Alice", [noise(10 * RATE)])


def test_too_little_speech_is_refused_with_what_is_needed(gallery, encoder):
    told = refused(gallery, encoder, "Alice", [first("Alice")[: 3 * RATE]])
    assert "seconds of usable speech and 5 are needed" in told and "add another recording" in told


def test_clipped_speech_is_refused(gallery, encoder):
    loud = np.clip(first("Alice") / np.percentile(np.abs(first("Alice")), 90), -1, 1).astype(np.float32)
    told = refused(gallery, encoder, "Alice", [loud])
    assert "is clipped" in told and "lower the microphone's level" in told


def test_speech_in_loud_noise_is_refused(gallery, encoder):
    speech = first("Alice")
    drowned = speech + noise(len(speech), float(np.sqrt(np.mean(speech**2))))
    assert "too noisy" in refused(gallery, encoder, "Alice", [drowned.astype(np.float32)])


def test_some_noise_is_only_warned_of(gallery, encoder):
    speech = first("Alice")
    hissing = speech + noise(len(speech), 0.4 * float(np.sqrt(np.mean(speech**2))))
    report = gallery.enroll("Alice", [hissing.astype(np.float32)], encoder, consent=CONSENT, sources=["a"])
    assert report.warnings == ['There is noise in "a": a quieter place would make a better voiceprint.']


def test_a_bad_recording_among_good_ones_is_left_out_and_named(gallery, encoder):
    blocks = [np.zeros(5 * RATE, np.float32), first("Alice")]
    report = gallery.enroll("Alice", blocks, encoder, consent=CONSENT, sources=["off.wav", "on.wav"])
    assert len(report.warnings) == 1 and '"off.wav" is silent' in report.warnings[0]
    assert "left out" in report.warnings[0] and len(report.quality) == 2
    assert set(gallery.get("Alice").sources) == {"on.wav"}


@pytest.mark.parametrize("apart", [True, False], ids=["two recordings", "one recording"])
def test_two_voices_are_refused(gallery, encoder, apart):
    blocks = [first("Alice"), first("Bruno")]
    told = refused(gallery, encoder, "Alice", blocks if apart else [np.concatenate(blocks)])
    assert "More than one voice" in told


def test_somebody_elses_voice_is_refused_naming_whose(gallery, encoder):
    gallery.enroll("Alice", [first("Alice")], encoder, consent=CONSENT)
    told = refused(gallery, encoder, "Bob", [second("Alice")])
    assert 'the voice of "Alice"' in told and 'add the recording to "Alice"' in told


def test_a_likeness_is_accepted_once_it_is_confirmed_and_not_asked_about_again(gallery, encoder):
    gallery.enroll("Alice", [first("Alice")], encoder, consent=CONSENT)
    half, rest = np.array_split(second("Alice"), 2)
    report = gallery.enroll("Twin", [half], encoder, consent=CONSENT, distinct_from=["Alice"])
    assert any('"Twin" sounds very much like "Alice"' in warning for warning in report.warnings)
    again = gallery.enroll("Twin", [rest], encoder, consent=CONSENT)
    assert again.added and any("Alice" in warning for warning in again.warnings)
    assert 'the voice of "Alice"' in refused(gallery, encoder, "Third", [half], distinct_from=["Twin"])


def test_another_voice_is_not_added_to_a_person(gallery, encoder):
    gallery.enroll("Alice", [first("Alice")], encoder, consent=CONSENT)
    assert "does not sound like the voice" in refused(gallery, encoder, "Alice", [first("Bruno")])


def test_names_that_look_the_same_are_refused_before_listening(gallery, encoder):
    open_store(gallery.folder).put(voiceprint("Anna"))
    with pytest.raises(GalleryError, match='write "Anna" to add'):
        gallery.enroll("ANNA", [first("Alice")], encoder, consent=CONSENT)


def test_a_voiceprint_of_another_model_is_not_mixed(gallery, encoder):
    open_store(gallery.folder).put(voiceprint("Anna", model="other-1"))
    with pytest.raises(GalleryError, match="enrolled with the model other-1"):
        gallery.enroll("Anna", [first("Alice")], encoder, consent=CONSENT)
    gallery.enroll("Alice", [first("Alice")], encoder, consent=CONSENT)
    assert {person.model for person in gallery.speakers()} == {"other-1", encoder.id}


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (np.full(RATE, np.nan, np.float32), "not numbers"),
        (np.zeros((RATE, 2), np.float32), "not mono"),
        (np.zeros(RATE, np.int16), "floats"),
    ],
)
def test_what_is_no_recording_is_refused(gallery, encoder, block, says):
    with pytest.raises(GalleryError, match=says):
        gallery.enroll("Alice", [block], encoder, consent=CONSENT)
    assert gallery.speakers() == []


def test_two_at_once_for_one_person_are_both_kept(gallery, encoder):
    errors = []

    def enroll(day: str, block: np.ndarray) -> None:
        try:
            Gallery.open(gallery.folder).enroll("Alice", [block], encoder, consent=CONSENT, sources=[day])
        except GalleryError as error:
            errors.append(error)

    threads = [
        threading.Thread(target=enroll, args=("monday", first("Alice"))),
        threading.Thread(target=enroll, args=("tuesday", second("Alice"))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert set(gallery.get("Alice").sources) == {"monday", "tuesday"}


def test_exemplars_are_chosen_for_variety():
    rng = np.random.default_rng(0)
    rooms = np.eye(192, dtype=np.float32)[:3]
    many = np.repeat(rooms, [40, 2, 1], axis=0) + 0.01 * rng.standard_normal((43, 192)).astype(np.float32)
    candidates = Exemplars(many, np.ones(43, np.float32), tuple(str(i) for i in range(43)))
    chosen = choose(candidates, 3)
    assert sorted(int(many[row].argmax()) for row in chosen) == [0, 1, 2]
    assert choose(candidates.pick(range(5)), 10) == [0, 1, 2, 3, 4]


def test_speech_counts_once_whether_as_a_whole_or_in_windows(gallery, encoder):
    report = gallery.enroll("Alice", [first("Alice")], encoder, consent=CONSENT, sources=["a.wav"])
    assert gallery.get("Alice").seconds_total == pytest.approx(report.speech_seconds, abs=0.05)
    halves = np.array_split(first("Bruno")[: 7 * RATE], 2)  # each is one window, and the same as a whole
    report = gallery.enroll("Bruno", halves, encoder, consent=CONSENT)
    assert gallery.get("Bruno").seconds_total == pytest.approx(report.speech_seconds, abs=0.05)
