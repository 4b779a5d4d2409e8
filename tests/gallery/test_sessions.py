"""Kept conversations: what comes back, who is gone from them, and what keeps them from others."""

import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from people import put_row, store_people

from speakerid.errors import GalleryError
from speakerid.gallery import Consent, Gallery, schema, sessions
from speakerid.gallery.doctor import examine_folder
from speakerid.gallery.kept_session import REMOVED, KeptSession, SessionTurn, SessionVoice, file_of
from speakerid.gallery.moving import copy_gallery
from speakerid.gallery.sqlite import FILE

RATE = 16_000
AGREED = Consent.now("Everybody agreed.", "tests")


def talk(people, title="A talk") -> KeptSession:
    """Anna from 0 to 2 s, a stranger to 4 s, Bob, heard as Anna, to 6 s."""
    anna, bob = (person.id for person in people)
    voices = (SessionVoice(person=anna), SessionVoice(label="unknown 1"), SessionVoice(person=bob))
    turns = (SessionTurn(0, 2, 0, 0, 0.9), SessionTurn(2, 4, 1, 1, 0.8), SessionTurn(4, 6, 2, 0, 0.7))
    return KeptSession("", title, "", "live", 6.0, "model-1", True, voices, turns)


def noise(seconds: float) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal(round(seconds * RATE)) * 0.1).astype(np.float32)


def loud(samples: np.ndarray) -> list[bool]:
    """For each of its seconds, whether anything is heard in the middle of it."""
    return [
        bool(np.abs(one[4000:12000]).max() > 0)
        for one in samples[: len(samples) // RATE * RATE].reshape(-1, RATE)
    ]


def test_a_session_comes_back_as_it_was_with_its_sound(place):
    people = store_people(place, "Anna", "Bob")
    gallery, sound = Gallery.open(place), noise(130)
    kept = sessions.keep(gallery, talk(people), [(0.0, sound, 3.0)], AGREED)
    (read,) = sessions.shelf(Gallery.open(place)).sessions
    assert read == kept and read.consent == AGREED
    assert [(one.start, one.seconds, one.gain_db) for one in read.sound] == [
        (0, 60, 3),
        (60, 60, 3),
        (120, 10, 3),
    ]
    heard = np.concatenate([sessions.piece(gallery, read.id, number) for number in (1, 2, 3)])
    np.testing.assert_allclose(heard, sound, atol=1e-4)
    assert [line["what"] for line in gallery.audit()][-1] == "keep-session"


def test_no_sound_is_kept_without_consent_and_nothing_where_nobody_spoke(place):
    people = store_people(place, "Anna", "Bob")
    gallery = Gallery.open(place)
    with pytest.raises(GalleryError, match="Consent is missing"):
        sessions.keep(gallery, talk(people), [(0.0, noise(6), 0.0)])
    with pytest.raises(GalleryError, match="nobody has spoken"):
        sessions.keep(gallery, replace(talk(people), turns=()))
    assert sessions.shelf(gallery).sessions == ()
    assert sessions.keep(gallery, talk(people)).consent is None


def test_who_is_removed_is_silent_and_nameless_in_every_session(place):
    people = store_people(place, "Anna", "Bob")
    gallery = Gallery.open(place)
    kept = sessions.keep(gallery, talk(people, "Interview with ANNA"), [(0.0, noise(6), 0.0)], AGREED)
    other = sessions.keep(gallery, talk(people, "Annabel's talk"))
    gallery.remove("Anna")
    read, untouched = sessions.get(gallery, kept.id), sessions.get(gallery, other.id)
    assert [read.voices[turn.voice] for turn in read.turns] == [
        SessionVoice(label=REMOVED),
        SessionVoice(label="unknown 1"),
        SessionVoice(person=people[1].id),
    ]
    assert read.voices[read.turns[2].heard] == SessionVoice(label=REMOVED)
    assert "Anna" not in read.title and untouched.title == "Annabel's talk"
    assert loud(sessions.piece(gallery, kept.id, 1)) == [False, False, True, True, True, True]
    assert people[0].id not in repr(sessions.shelf(gallery))


def test_who_is_removed_before_it_is_kept_is_not_in_it(place):
    people = store_people(place, "Anna", "Bob")
    gallery = Gallery.open(place)
    gallery.remove("Bob")
    kept = sessions.keep(gallery, talk(people), [(0.0, noise(6), 0.0)], AGREED)
    assert kept.voices[2] == SessionVoice(label=REMOVED)
    assert loud(sessions.piece(gallery, kept.id, 1)) == [True, True, True, True, False, False]


def test_two_people_who_become_one_are_one_in_sessions(place):
    people = store_people(place, "Anna", "Bob")
    gallery = Gallery.open(place)
    kept = sessions.keep(gallery, talk(people))
    gallery.merge("Bob", "Anna", force=True)
    read = sessions.get(gallery, kept.id)
    assert [read.voices[turn.voice].person for turn in read.turns] == [people[0].id, "", people[0].id]


def test_it_is_corrected_called_otherwise_and_deleted(place):
    people = store_people(place, "Anna", "Bob")
    gallery = Gallery.open(place)
    kept = sessions.keep(gallery, talk(people), [(0.0, noise(6), 0.0)], AGREED)
    sessions.retitle(gallery, kept.id, "  Tuesday ")
    changed = sessions.correct(gallery, kept.id, [2.0], SessionVoice(person=people[1].id))
    read = sessions.get(gallery, kept.id)
    assert read == changed and read.title == "Tuesday"
    assert read.voices[read.turns[1].voice].person == people[1].id
    assert read.voices[read.turns[1].heard].label == "unknown 1"
    with pytest.raises(GalleryError, match="title is missing"):
        sessions.retitle(gallery, kept.id, " ")
    sessions.delete(gallery, kept.id)
    assert gallery.store.sessions() == {}
    with pytest.raises(GalleryError, match="kept no more"):
        sessions.get(gallery, kept.id)
    with pytest.raises(GalleryError, match="kept no more"):
        sessions.delete(gallery, kept.id)


def test_a_passphrase_hides_sessions_and_another_one_still_opens_them(tmp_path):
    people = store_people(tmp_path, "Anna", "Bob")
    gallery = Gallery.open(tmp_path, "")
    kept = sessions.keep(gallery, talk(people, "Secret summit"), [(0.0, noise(6), 0.0)], AGREED)
    gallery.change_passphrase("a good passphrase")
    later = sessions.keep(gallery, talk(people, "Second summit"))
    assert b"summit" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    gallery.change_passphrase("another passphrase")
    opened = Gallery.open(tmp_path, "another passphrase")
    assert {one.id for one in sessions.shelf(opened).sessions} == {kept.id, later.id}
    assert len(sessions.piece(opened, kept.id, 1)) == 6 * RATE
    closed = Gallery.open(tmp_path, "not the passphrase")
    assert sessions.shelf(closed).sessions == () and len(sessions.shelf(closed).damaged) == 2
    opened.remove("Anna")
    assert loud(sessions.piece(opened, kept.id, 1)) == [False, False, True, True, True, True]


def test_nothing_of_a_removed_voice_is_left_in_the_files(tmp_path):
    people = store_people(tmp_path, "Anna", "Bob")
    gallery = Gallery.open(tmp_path)
    kept = sessions.keep(gallery, talk(people), [(0.0, noise(2), 0.0)], AGREED)  # Anna alone is heard
    before = gallery.store.raw(file_of(kept.id, 1))
    piece = before[len(before) // 2 : len(before) // 2 + 64]
    assert any(piece in path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith(FILE))
    gallery.remove("Anna")
    assert not any(piece in path.read_bytes() for path in tmp_path.iterdir())


def test_a_damaged_session_is_told_and_stops_no_other(place):
    people = store_people(place, "Anna", "Bob")
    gallery = Gallery.open(place)
    broken, whole = (sessions.keep(gallery, talk(people, title)) for title in ("One", "Two"))
    content = gallery.store.raw(file_of(broken.id))
    put_row(place, file_of(broken.id), content[:-9] + bytes(9))
    found = sessions.shelf(Gallery.open(place))
    assert [one.id for one in found.sessions] == [whole.id]
    assert [one.file for one in found.damaged] == [broken.id]
    with pytest.raises(GalleryError, match="cannot be opened"):
        sessions.get(gallery, broken.id)
    assert any(broken.id in finding.what for finding in examine_folder(place).findings)
    gallery.remove("Bob")  # nobody can tell any more whether Bob is heard in it
    assert set(gallery.store.sessions()) == {whole.id}


def test_the_doctor_moves_a_damaged_session_away(tmp_path):
    people = store_people(tmp_path, "Anna", "Bob")
    gallery = Gallery.open(tmp_path)
    kept = sessions.keep(gallery, talk(people), [(0.0, noise(61), 0.0)], AGREED)
    put_row(tmp_path, file_of(kept.id, 2), b"nothing")
    assert examine_folder(tmp_path, repair=True).left == []
    assert len(gallery.store.sessions()[kept.id]) == 2
    put_row(tmp_path, file_of(kept.id), b"nothing")
    assert examine_folder(tmp_path, repair=True).left == []
    assert gallery.store.sessions() == {} and len(list((tmp_path / "set-aside").iterdir())) == 3


def test_sessions_move_with_the_gallery(place, tmp_path):
    people = store_people(place, "Anna", "Bob")
    kept = sessions.keep(Gallery.open(place), talk(people), [(0.0, noise(6), 0.0)], AGREED)
    moved = copy_gallery(place, tmp_path / "other")
    assert (moved.people, moved.recordings, moved.sessions) == (2, 0, 1)
    assert sessions.shelf(Gallery.open(tmp_path / "other")).sessions == (kept,)


def test_a_gallery_from_before_sessions_is_read_and_brought_up_to_date(tmp_path):
    people = store_people(tmp_path, "Anna", "Bob")
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("DROP TABLE speakerid_sessions")
        connection.execute("UPDATE speakerid_state SET version = 1")
    connection.close()
    gallery = Gallery.open(tmp_path)
    assert sessions.shelf(gallery).sessions == () and examine_folder(tmp_path).left == []
    sessions.keep(gallery, talk(people))
    assert len(sessions.shelf(gallery).sessions) == 1 and len(schema.STEPS) >= schema.SESSIONS_SINCE
