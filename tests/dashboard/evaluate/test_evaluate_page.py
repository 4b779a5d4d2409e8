"""The Evaluate page in its three states: too little, clear voices, one voice under two names."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from dashboard.pages import open_page, said
from evaluate.test_own import person

from speakerid.gallery.opening import open_store
from speakerid.gallery.voiceprint import unit


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "voiceprints"
    made.mkdir()
    return made


def page(folder, monkeypatch, *people):
    for one in people:
        open_store(folder).put(one)
    return open_page("4_Evaluate.py", folder, monkeypatch)


def test_nobody_enrolled_leads_to_enrolling(folder, monkeypatch):
    app = page(folder, monkeypatch)
    text = said(app)
    assert "Nobody is enrolled yet." in text and "at least 2 people, each enrolled from at least 2" in text
    assert not app.get("plotly_chart")


def test_one_recording_each_is_too_little(folder, monkeypatch):
    text = said(page(folder, monkeypatch, person("Ana *b*", 1, recordings=1), person("Bō", 2, recordings=1)))
    assert (
        "One recording only is enrolled for Ana *b*, Bō" in text and "There is too little to say yet" in text
    )


def test_clear_voices_get_a_threshold_and_its_cost(folder, monkeypatch):
    app = page(folder, monkeypatch, person("Ana", 1), person("Bō <b>", 2), person("Cy", 3, recordings=1))
    text = said(app)
    assert "Show a name from" in text and "0 of 12 pieces of the right voice would not get their name" in text
    assert "Nobody is taken for somebody else." in text
    assert "Tried as strangers only, since one recording is enrolled: Cy" in text
    matrix = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert matrix["layout"]["xaxis"]["ticktext"] == ["Ana", "Bō &lt;b&gt;", "Cy", "unknown"]
    app.slider(key="evaluate-threshold").set_value(99).run()
    assert "Who is shown for whom, at 99%" in said(app)


def test_one_voice_under_two_names_gets_no_threshold(folder, monkeypatch):
    center = unit(np.random.default_rng(7).standard_normal(192))
    twins = [person(name, seed, center=center) for seed, name in enumerate(("Ana", "Ana again"))]
    app = page(folder, monkeypatch, *twins)
    assert "The voices overlap: no threshold is suggested" in said(app)
    app.slider(key="evaluate-threshold").set_value(40).run()  # at more than half, neither twin is named
    assert "Most often confused: Ana" in said(app)


def test_models_are_never_mixed(folder, monkeypatch):
    other = replace(person("Zoe", 9), model="model-2")
    app = page(folder, monkeypatch, person("Ana", 1), person("Bō", 2), other)
    assert "Zoe" not in said(app) and app.selectbox(key="evaluate-model").options == ["model-1", "model-2"]


def test_the_threshold_goes_to_the_live_page_with_one_click(folder, monkeypatch):
    app = page(folder, monkeypatch, person("Ana", 1), person("Bō", 2))
    label = app.button(key="evaluate-apply").label
    app = app.button(key="evaluate-apply").click().run()
    threshold = int(label.split()[1].rstrip("%"))
    assert app.session_state["live-session"].choices["threshold"] == threshold / 100
    assert f"shows a name from {threshold}% on" in said(app)
    app.slider(key="evaluate-threshold").set_value(97).run()
    app = app.button(key="evaluate-apply-tried").click().run()
    assert app.session_state["live-session"].choices["threshold"] == 0.97
    app = app.switch_page("pages/2_Live.py").run()
    [control] = [slider for slider in app.slider if slider.label == "How sure a name must be"]
    assert control.value == 0.97
    assert app.session_state["live-session"].settings == {"threshold": 0.97}


def test_each_persons_reliability_is_told_before_a_show(folder, monkeypatch):
    center = unit(np.random.default_rng(7).standard_normal(192))
    twins = [person(name, seed, center=center) for seed, name in enumerate(("Ana", "Ana <b>again"))]
    app = page(folder, monkeypatch, *twins, person("Cy", 3, recordings=1), person("Dee", 4))
    app.slider(key="evaluate-threshold").set_value(40).run()
    text = said(app)
    assert "<td>Dee</td><td>6 of 6</td>" in text and "reliable" in text
    assert "taken for Ana &lt;b&gt;again: record more of both" in text or "taken for Ana: record more" in text
    assert "<td>Cy</td><td>not tried</td>" in text and "one recording only: record one more" in text


def test_people_are_compared_by_their_voiceprints_or_by_the_tuned_head(folder, monkeypatch):
    app = page(folder, monkeypatch, person("Ana", 1), person("Bō", 2), person("Cy", 3, recordings=1))
    choice = app.segmented_control(key="evaluate-compare")
    assert choice.value == "Voiceprints" and "identify --closed-set tuned" in choice.help
    assert "right person named" in said(app) and "12 of 12 pieces" in said(app)
    app = app.segmented_control(key="evaluate-compare").set_value("Tuned head").run()
    assert not app.exception and "12 of 12 pieces" in said(app)
    app = app.button(key="evaluate-closed-apply").click().run()
    assert "names the likeliest of the enrolled people, by the tuned head" in said(app)
    app = app.switch_page("pages/2_Live.py").run()
    assert app.session_state["live-session"].settings == {"closed_set": True, "tuned": True}


def test_without_pytorch_the_tuned_head_says_what_to_install(folder, monkeypatch):
    app = page(folder, monkeypatch, person("Ana", 1), person("Bō", 2))
    monkeypatch.setitem(sys.modules, "torch", None)
    app = app.segmented_control(key="evaluate-compare").set_value("Tuned head").run()
    assert any("takes PyTorch" in one.value for one in app.error)
