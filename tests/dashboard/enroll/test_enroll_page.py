"""The Enroll page from end to end: files and the recorder, with the real model; rename and remove."""

import re
from pathlib import Path

import numpy as np
import pytest
from dashboard.pages import open_page, plain, recording, said
from gallery.people import voiceprint
from support import voices

from speakerid import uploads
from speakerid.audio.format import RATE
from speakerid.dashboard.shared import resources
from speakerid.gallery import Gallery, kept_recording
from speakerid.gallery.opening import open_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "voiceprints"


@pytest.fixture
def page(folder, monkeypatch):
    return open_page("1_Enroll.py", folder, monkeypatch)


def fill(app, name: str = "", consent: bool = True, source: str = "files"):
    """Type the name, tick the consent, choose the source."""
    app.text_input(key="enroll-name").set_value(name)
    checkbox = app.checkbox(key="enroll-consent")
    checkbox.check() if consent else checkbox.uncheck()
    app.segmented_control(key="enroll-source").set_value(source)
    return app.run()


def upload(app, *files: tuple[str, bytes], number: int = 0):
    uploader = app.file_uploader(key=f"enroll-upload-{number}")
    uploader.set_value([(name, data, "audio/wav") for name, data in files])
    return app.run()


def save(app):
    return app.button(key="enroll-save").click().run()


def test_a_recording_becomes_a_voiceprint_with_consent(page, folder, tmp_path):
    app = fill(page, "Alice")
    app = upload(app, ("alice.wav", recording("Alice", tmp_path)))
    assert "Speech" in said(app)
    app = save(app)
    assert "Alice is enrolled" in said(app)
    (alice,) = Gallery.open(folder).speakers()
    assert alice.name == "Alice"
    assert alice.consent.source == "files"
    assert alice.consent.text.endswith("The recordings themselves are not kept.")
    assert not alice.consent.keep_recordings
    assert set(alice.sources) == {"alice.wav"}
    assert Gallery.open(folder).recording_counts() == {}, "the recording is not kept"


def test_after_saving_the_next_person_gives_a_name_and_consent_anew(page, folder, tmp_path):
    app = save(upload(fill(page, "Alice"), ("a.wav", recording("Alice", tmp_path))))
    assert app.text_input(key="enroll-name").value == ""
    assert not app.checkbox(key="enroll-consent").value
    app = app.button(key="enroll-next").click().run()
    assert "is enrolled" not in said(app)
    number = int(app.file_uploader[0].key.rsplit("-", 1)[1])
    app = save(upload(fill(app, "Bruno"), ("b.wav", recording("Bruno", tmp_path)), number=number))
    assert [p.name for p in Gallery.open(folder).speakers()] == ["Alice", "Bruno"]


@pytest.mark.parametrize("change", ["rename", "remove"])
def test_a_person_who_was_just_saved_may_be_changed(page, folder, tmp_path, change):
    app = save(upload(fill(page, "Alice"), ("a.wav", recording("Alice", tmp_path))))
    (alice,) = Gallery.open(folder).speakers()
    app = app.button(key=f"person-{alice.id}").click().run()
    if change == "rename":
        app.text_input(key=f"rename-{alice.id}").set_value("Alicia")
        app = app.button(key=f"rename-save-{alice.id}").click().run()
    else:
        app.checkbox(key=f"remove-sure-{alice.id}").check()
        app = app.button(key=f"remove-{alice.id}").click().run()
    assert "Alice is enrolled" not in said(app)
    assert [p.name for p in Gallery.open(folder).speakers()] == (["Alicia"] if change == "rename" else [])


def test_short_files_add_up(page, folder, tmp_path):
    samples = np.concatenate(voices.enrollment("Alice"))
    files = []
    for number in range(3):
        piece = samples[number * 4 * RATE : (number + 1) * 4 * RATE]
        files.append((f"{number}.wav", voices.write_wav(tmp_path / "piece.wav", piece).read_bytes()))
    app = upload(fill(page, "Alice"), *files)
    assert "3 recordings" in said(app)
    assert "Alice is enrolled" in said(save(app))


@pytest.mark.parametrize(
    ("name", "consent", "word"), [("", True, "A name is missing"), ("Alice", False, "The consent is missing")]
)
def test_nothing_is_saved_without_name_and_consent(page, folder, tmp_path, name, consent, word):
    app = save(upload(fill(page, name, consent), ("a.wav", recording("Alice", tmp_path))))
    assert word in said(app)
    assert Gallery.open(folder).speakers() == []
    assert app.button(key="enroll-save"), "the recording is still there"


@pytest.mark.parametrize("name", ["unknown", "a\nb", "\u202eevil"])
def test_a_name_that_cannot_be_used_is_refused(page, folder, tmp_path, name):
    app = save(upload(fill(page, name), ("a.wav", recording("Alice", tmp_path))))
    assert len(app.error) == 1
    assert "name" in app.error[0].value
    assert Gallery.open(folder).speakers() == []


def test_too_little_speech_is_refused_with_the_number(page, folder, tmp_path):
    app = upload(fill(page, "Alice"), ("a.wav", recording("Alice", tmp_path, seconds=3)))
    assert "at least 5 s needed" in said(app)
    app = save(app)
    assert "5 are needed" in said(app)
    assert Gallery.open(folder).speakers() == []


def test_two_voices_are_refused(page, folder, tmp_path):
    mixed = np.concatenate([voices.enrollment("Alice")[0], voices.enrollment("Bruno")[0]])
    data = voices.write_wav(tmp_path / "two.wav", mixed).read_bytes()
    assert "More than one voice" in said(save(upload(fill(page, "Alice"), ("two.wav", data))))
    assert Gallery.open(folder).speakers() == []


def test_a_clipped_recording_is_refused(page, folder, tmp_path):
    loud = np.clip(np.concatenate(voices.enrollment("Alice")) * 30, -1, 1)
    data = voices.write_wav(tmp_path / "loud.wav", loud).read_bytes()
    app = upload(fill(page, "Alice"), ("loud.wav", data))
    assert "distorted" in said(app)
    assert "clipped" in said(save(app))
    assert Gallery.open(folder).speakers() == []


def test_a_too_quiet_recording_is_refused(page, folder, tmp_path):
    quiet = 0.004 * np.concatenate(voices.enrollment("Alice"))
    data = voices.write_wav(tmp_path / "quiet.wav", quiet).read_bytes()
    app = upload(fill(page, "Alice"), ("quiet.wav", data))
    assert "too quiet: come closer" in said(app)
    assert '"quiet.wav" is too quiet' in said(save(app))
    assert Gallery.open(folder).speakers() == []


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("notes.wav", b"this is text, not sound"),
        ("empty.wav", b""),
        ("silent.wav", None),
    ],
)
def test_a_file_that_cannot_be_used_is_named(page, folder, tmp_path, file, data):
    if data is None:
        data = voices.write_wav(tmp_path / file, np.zeros(9 * RATE, np.float32)).read_bytes()
    app = upload(fill(page, "Alice"), (file, data), ("good.wav", recording("Alice", tmp_path)))
    assert file in plain("".join(error.value for error in app.error))
    assert "Alice is enrolled" in said(save(app)), "the good file is used all the same"


def test_a_voice_that_is_enrolled_already_is_named(page, folder, tmp_path):
    samples = voices.enrollment("Alice")
    first, second = (voices.write_wav(tmp_path / "x.wav", s).read_bytes() for s in samples)
    app = save(upload(fill(page, "Alice"), ("1.wav", first)))
    app = app.button(key="enroll-next").click().run()
    number = int(app.file_uploader[0].key.rsplit("-", 1)[1])
    app = upload(fill(app, "Somebody else"), ("2.wav", second), number=number)
    app = save(app)
    assert 'voice of "Alice"' in said(app)
    assert app.button(key="enroll-instead").label == "Add it to Alice instead"
    before = Gallery.open(folder).get("Alice")
    app = app.button(key="enroll-instead").click().run()
    assert "Alice is enrolled" in said(app)
    (alice,) = Gallery.open(folder).speakers()
    assert set(before.sources) < set(alice.sources), "one click adds it"


def test_twins_are_enrolled_once_somebody_says_that_they_are_two(page, folder, tmp_path):
    first, second = (voices.write_wav(tmp_path / "x.wav", s).read_bytes() for s in voices.enrollment("Alice"))
    app = save(upload(fill(page, "Alice"), ("1.wav", first)))
    app = app.button(key="enroll-next").click().run()
    number = int(app.file_uploader[0].key.rsplit("-", 1)[1])
    app = save(upload(fill(app, "Her twin"), ("2.wav", second), number=number))
    assert app.button(key="enroll-distinct").label == "Her twin is somebody else"
    app = app.button(key="enroll-distinct").click().run()
    assert "Her twin is enrolled" in said(app)
    assert 'sounds very much like "Alice"' in plain("".join(warning.value for warning in app.warning))
    assert [person.name for person in Gallery.open(folder).speakers()] == ["Alice", "Her twin"]


def test_another_voice_under_a_known_name_is_offered_another_name(page, folder, tmp_path):
    app = save(upload(fill(page, "Alice"), ("a.wav", recording("Alice", tmp_path))))
    app = upload(fill(app, "Alice"), ("b.wav", recording("Bruno", tmp_path)), number=1)
    assert "Alice is enrolled already" in said(app)
    app = save(app)
    assert "does not sound like" in said(app)
    assert app.button(key="enroll-instead").label == "Save it as “Alice 2” instead"
    app = app.button(key="enroll-instead").click().run()
    assert "Alice 2 is enrolled" in said(app)
    assert [p.name for p in Gallery.open(folder).speakers()] == ["Alice", "Alice 2"]


def test_recordings_are_kept_where_the_person_agrees(page, folder, tmp_path):
    page.checkbox(key="enroll-keep").check()
    app = save(upload(fill(page, "Alice"), ("a.wav", recording("Alice", tmp_path))))
    gallery = Gallery.open(folder)
    alice = gallery.get("Alice")
    assert "recordings are kept beside the voiceprint" in alice.consent.text
    assert alice.consent.keep_recordings
    (kept,) = gallery.recordings("Alice")
    assert kept.source == "a.wav"
    assert not app.checkbox(key="enroll-keep").value, "the next person is asked anew"


def test_the_spectrogram_is_drawn_when_it_is_asked_for(page, tmp_path):
    app = upload(fill(page, "Alice"), ("a.wav", recording("Alice", tmp_path)))
    assert not app.get("image")
    app = app.toggle(key="enroll-spectrogram-0").set_value(True).run()
    assert app.get("image")
    assert "louder is brighter" in said(app)


def test_too_many_files_are_refused(page, tmp_path):
    data = recording("Alice", tmp_path, seconds=1)
    app = upload(fill(page, "Alice"), *[(f"{number}.wav", data) for number in range(31)])
    assert "30 are the most" in app.error[0].value
    assert not [button for button in app.button if button.key == "enroll-save"]


def test_files_that_are_too_large_together_are_refused(page, monkeypatch, tmp_path):
    monkeypatch.setattr(uploads, "MAX_BYTES_AT_ONCE", 50_000)
    data = recording("Alice", tmp_path, seconds=1)
    app = upload(fill(page, "Alice"), *[(f"{number}.wav", data) for number in range(2)])
    assert "These files have" in app.error[0].value and "remove some" in app.error[0].value
    assert not [button for button in app.button if button.key == "enroll-save"]
    assert upload(app, ("one.wav", data)).button(key="enroll-save")


def test_recordings_that_are_too_long_together_are_refused(page, monkeypatch, tmp_path):
    monkeypatch.setattr(kept_recording, "MAX_SECONDS_AT_ONCE", 12.0)
    data = recording("Alice", tmp_path, seconds=7)
    app = upload(fill(page, "Alice"), *[(f"{number}.wav", data) for number in range(2)])
    assert "leave some out" in app.error[0].value
    assert not [button for button in app.button if button.key == "enroll-save"]


def test_the_page_counts_speech_as_the_gallery_does(page, folder, tmp_path):
    app = upload(fill(page, "Alice"), ("a.wav", recording("Alice", tmp_path, seconds=7)))
    counted = re.search(r"<em>Speech</em><strong>([0-9.]+) s", said(app))
    stored = re.search(r"([0-9.]+) seconds of speech were used", said(save(app)))
    assert counted and stored
    assert counted[1] == stored[1]


def test_the_recorder_makes_a_voiceprint(page, folder, tmp_path):
    app = fill(page, "Alice", source="recorder")
    app.audio_input(key="enroll-clip-0").set_value(("clip.wav", recording("Alice", tmp_path), "audio/wav"))
    assert "Alice is enrolled" in said(save(app.run()))
    assert Gallery.open(folder).get("Alice").consent.source == "recorder"


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [(0.2, "too short"), (2.0, "5 are needed"), (601.0, "longer than 10 minutes")],
)
def test_a_recording_of_another_length_than_wanted_gets_a_clear_answer(
    page, folder, seconds, answer, tmp_path
):
    samples = np.resize(np.concatenate(voices.enrollment("Alice")), round(seconds * RATE))
    clip = voices.write_wav(tmp_path / "clip.wav", samples).read_bytes()
    app = fill(page, "Alice", source="recorder")
    app.audio_input(key="enroll-clip-0").set_value(("clip.wav", clip, "audio/wav"))
    app = app.run()
    if [button for button in app.button if button.key == "enroll-save"]:
        app = save(app)
    assert answer in plain("".join(error.value for error in app.error))
    assert "Voice recorder, 20" in said(app) or answer == "5 are needed"
    assert Gallery.open(folder).speakers() == []


def test_a_recording_longer_than_needed_is_used_whole(page, folder, tmp_path):
    samples = np.concatenate(voices.enrollment("Alice") * 3)
    clip = voices.write_wav(tmp_path / "clip.wav", samples).read_bytes()
    app = fill(page, "Alice", source="recorder")
    app.audio_input(key="enroll-clip-0").set_value(("clip.wav", clip, "audio/wav"))
    assert "Alice is enrolled" in said(save(app.run()))
    (alice,) = Gallery.open(folder).speakers()
    assert len(alice.embeddings) == 10


def test_leaving_the_page_keeps_nothing(page, folder, tmp_path):
    app = upload(fill(page, "Alice"), ("a.wav", recording("Alice", tmp_path)))
    assert app.button(key="enroll-save")
    app = app.switch_page("app.py").run()
    app = app.switch_page("pages/1_Enroll.py").run()
    assert not [button for button in app.button if button.key == "enroll-save"]
    assert Gallery.open(folder).speakers() == []


def test_a_long_list_is_searched(folder, monkeypatch):
    folder.mkdir()
    store = open_store(folder)
    for number in range(15):
        store.put(voiceprint(f"Person {number:02}", number))
    app = open_page("1_Enroll.py", folder, monkeypatch)
    assert "first 12 of 15" in said(app)
    app.text_input(key="enroll-find").set_value("son 14")
    text = said(app.run())
    assert "Person 14" in text
    assert "Person 03" not in text


def test_a_name_in_another_case_is_refused_at_once_and_one_click_writes_it_as_enrolled(
    page, folder, tmp_path
):
    first, second = (voices.write_wav(tmp_path / "x.wav", s).read_bytes() for s in voices.enrollment("Alice"))
    save(upload(fill(page, "Alice"), ("1.wav", first)))
    app = upload(fill(page, " aLICE "), ("2.wav", second), number=1)
    text = said(app)
    assert "nothing can be saved under this name" in text and "saving adds" not in text
    assert "Still missing: a name that nobody has, or this one as it is enrolled." in text
    app = save(app)
    assert "already somebody called" in plain(app.error[0].value), "the gallery gives the same answer"
    app = app.button(key="enroll-name-as-enrolled").click().run()
    assert app.text_input(key="enroll-name").value == "Alice" and "saving adds" in said(app)
    assert "Alice is enrolled" in said(save(app))
    (alice,) = Gallery.open(folder).speakers()
    assert set(alice.sources) == {"1.wav", "2.wav"}


def test_a_name_that_another_model_enrolled_is_told_before_anything_is_saved(folder, monkeypatch, tmp_path):
    resources.encoder()
    folder.mkdir()
    open_store(folder).put(voiceprint("Alice", model="another-1234"))
    app = upload(
        fill(open_page("1_Enroll.py", folder, monkeypatch), "Alice"), ("a.wav", recording("Alice", tmp_path))
    )
    assert "enrolled with another model, so nothing can be added" in said(app)


def test_what_is_missing_stands_beside_save(page, tmp_path):
    app = upload(fill(page, "", False), ("a.wav", recording("Alice", tmp_path, seconds=3)))
    assert "Still missing: a name, the consent, more speech, 5 s at least." in said(app)
    app = fill(app, "unknown", False)
    assert "a name that can be used" in said(app) and "reserved for strangers" in said(app)
    app = upload(fill(app, "Alice"), ("a.wav", recording("Alice", tmp_path)))
    assert "Still missing" not in said(app)
