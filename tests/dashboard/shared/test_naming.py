"""Enrolling somebody from turns that were heard: what is asked, what is refused, what is stored."""

from pathlib import Path

import numpy as np
import pytest
from dashboard.pages import ROOT, said
from streamlit.testing.v1 import AppTest
from support import voices

from speakerid.conversation.entry import Entry
from speakerid.dashboard.live.naming import _beside
from speakerid.dashboard.shared import resources
from speakerid.dashboard.shared.naming import Stretch, _Opening
from speakerid.gallery import Consent, Gallery

_SCRIPT = """
import numpy as np
import streamlit as st
from support import voices
from speakerid.dashboard.shared import naming
from speakerid.gallery import Gallery

sounds = [(voices.turn("Edgar", k) * 32767).astype(np.int16) for k in range(3)]
stretches = [
    naming.Stretch(10.0 * k, f"turn {k}, Somebody *Else*", k < 2, None if k == 2 else sound)
    for k, sound in enumerate(sounds)
]
if "named" not in st.session_state:
    # Under AppTest every run is one of the whole page; an opening is to outlive it, as in a browser.
    opening = st.session_state.setdefault("opening", naming._Opening(1))
    named = lambda name, chosen: st.session_state.update(named=(name, [s.start for s in chosen]))
    naming._dialog(opening, lambda: stretches, Gallery.open(FOLDER), "live", named)
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.chdir(ROOT)
    script = tmp_path / "page.py"
    script.write_text(_SCRIPT.replace("FOLDER", repr(str(tmp_path / "people"))))
    return AppTest.from_file(str(script), default_timeout=120).run()


def test_only_turns_whose_sound_was_kept_are_offered(asked: AppTest):
    assert not asked.exception
    assert [box.value for box in asked.checkbox if box.key.startswith("naming-turn")] == [True, True]


def test_a_name_and_the_consent_are_asked_for_and_nothing_is_stored_without(asked: AppTest, tmp_path: Path):
    asked.button(key="naming-enroll-1").click().run()
    text = said(asked)
    assert "A name is missing" in text and "The consent is missing" in text
    assert Gallery.open(tmp_path / "people").speakers() == []


def test_too_little_speech_is_refused_with_the_remedy(asked: AppTest):
    asked.checkbox(key="naming-turn-1-10000").uncheck()
    asked.text_input(key="naming-name-1").set_value("Edgar")
    asked.checkbox(key="naming-consent-1").check().run()
    assert "are needed" in said(asked)
    asked.button(key="naming-enroll-1").click().run()
    assert "seconds of usable speech" in said(asked)


def test_a_stranger_gets_a_voiceprint_with_consent_and_the_caller_is_told(asked: AppTest, tmp_path: Path):
    asked.text_input(key="naming-name-1").set_value("Edgar")
    asked.checkbox(key="naming-consent-1").check().run()
    asked.button(key="naming-enroll-1").click().run()
    assert not asked.exception
    assert asked.session_state["named"] == ("Edgar", [0.0, 10.0])
    [edgar] = Gallery.open(tmp_path / "people").speakers()
    assert edgar.consent.source == "live" and "agrees" in edgar.consent.text
    assert {source.split(", at ")[1] for source in edgar.sources} == {"0:00.0", "0:10.0"}
    assert not any("Somebody" in source for source in edgar.sources), "it may be somebody else's name"


def test_a_label_is_no_markdown(asked: AppTest):
    assert asked.checkbox(key="naming-turn-1-0").label == r"turn 0, Somebody \*Else\*"


@pytest.fixture
def like_ed(asked: AppTest, tmp_path: Path) -> AppTest:
    """The voice to name is that of Ed, who is enrolled, and was refused under another name."""
    consent = Consent.now("A synthetic voice.", "test")
    people = Gallery.open(tmp_path / "people")
    people.enroll("Ed", voices.enrollment("Edgar"), resources.encoder(), consent=consent)
    asked.text_input(key="naming-name-1").set_value("Somebody")
    asked.checkbox(key="naming-consent-1").check().run()
    asked.button(key="naming-enroll-1").click().run()
    assert 'the voice of "Ed"' in said(asked)
    return asked


def test_the_voice_of_somebody_enrolled_is_offered_to_be_added_there(like_ed: AppTest, tmp_path: Path):
    before = set(Gallery.open(tmp_path / "people").get("Ed").sources)
    assert like_ed.button(key="naming-instead-1").label == "Add it to Ed"
    like_ed.button(key="naming-instead-1").click().run()
    assert not like_ed.exception
    assert like_ed.session_state["named"][0] == "Ed"
    [ed] = Gallery.open(tmp_path / "people").speakers()
    assert before < set(ed.sources)


def test_a_voice_like_that_of_somebody_enrolled_may_be_somebody_elses(like_ed: AppTest, tmp_path: Path):
    assert like_ed.button(key="naming-distinct-1").label == "Somebody is somebody else"
    like_ed.button(key="naming-distinct-1").click().run()
    assert like_ed.session_state["named"][0] == "Somebody"
    assert [person.name for person in Gallery.open(tmp_path / "people").speakers()] == ["Ed", "Somebody"]


def test_the_next_voices_dialog_keeps_nothing_of_an_attempt_that_was_refused(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(ROOT)
    script = tmp_path / "page.py"
    opened = "naming.ask(lambda: stretches, Gallery.open(FOLDER), source='live', named=print)\n"
    script.write_text(
        (_SCRIPT.split('if "named"')[0] + opened).replace("FOLDER", repr(str(tmp_path / "people")))
    )
    asked = AppTest.from_file(str(script), default_timeout=120).run()
    asked.text_input[0].set_value("Edgar")
    asked.checkbox(key="naming-turn-1-10000").uncheck()
    asked.checkbox(key="naming-consent-1").check().run()  # another run of the page opens it anew
    assert asked.text_input[0].value == "" and not asked.checkbox(key="naming-consent-2").value
    assert asked.checkbox(key="naming-turn-2-10000").value, "what is ticked is thought anew"


def test_turns_heard_meanwhile_come_to_the_end_of_the_list_and_the_others_keep_their_places():
    def stretch(start: float) -> Stretch:
        return Stretch(start, "", True, np.ones(100, np.int16))

    opening = _Opening(1)
    first = [stretch(30), Stretch(20, "", True, None), stretch(10)]
    assert [one.start for one in opening.usable(first)] == [30, 10]
    later = [stretch(5), stretch(10), stretch(30)]
    assert [one.start for one in opening.usable(later)] == [30, 10, 5]


def test_a_moment_belongs_to_the_turn_around_it():
    turn = Entry(10.0, 12.0, "unknown", 0.5, "unknown")
    assert [_beside(turn, at) for at in (9.5, 10.0, 11.0, 12.0, 12.25)] == [0.5, 0.0, 0.0, 0.0, 0.25]
