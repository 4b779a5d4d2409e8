"""The Models page under AppTest: what it says, and to whom it lets choose."""

import threading

import pytest
from dashboard.pages import open_page, plain, said
from streamlit.runtime.fragment import MemoryFragmentStorage
from support import voices

from speakerid.dashboard.models import installing
from speakerid.dashboard.shared import access, resources
from speakerid.gallery import Consent, Gallery
from speakerid.model import catalog


@pytest.fixture(autouse=True)
def nothing_on_its_way():
    yield
    installing._current = None


def test_it_shows_what_is_in_use_and_what_else_there_is(tmp_path, monkeypatch):
    catalog.remember(catalog.chosen(), resources.encoder().id)  # as whoever loads it first does
    page = open_page("5_Models.py", tmp_path, monkeypatch)
    text = said(page)
    assert "ECAPA-TDNN, bundled" in text and "in use" in text and resources.encoder().id in text
    assert "ECAPA-TDNN, SpeechBrain VoxCeleb" in text and "CAM++" in text and "Apache-2.0" in text
    assert ("speed here" in text and "32-bit numbers" in text) or "8-bit numbers" in text
    assert "Nobody is enrolled yet" in text
    assert any(button.label.startswith("Download and use 83 MB") for button in page.button)


def test_people_of_another_model_are_told_and_made_anew_where_recordings_were_kept(tmp_path, monkeypatch):
    class Other:
        id = "other-00000000"

        def embed(self, blocks):
            return resources.encoder().embed(blocks)

    gallery = Gallery.open(tmp_path / "people")
    consent = Consent.now("A synthetic voice.", "tests")
    gallery.enroll("Alice", voices.enrollment("Alice"), Other(), consent=consent, keep_recordings=True)
    gallery.enroll("Bruno", voices.enrollment("Bruno"), Other(), consent=consent)
    page = open_page("5_Models.py", tmp_path / "people", monkeypatch)
    text = said(page)
    assert "2 people were enrolled with another model" in text and "No recordings were kept of Bruno" in text
    page.button(key="models-reembed").click().run()
    assert "1 voiceprint made anew" in said(page)
    assert resources.gallery().get("Alice").model == resources.encoder().id
    assert resources.gallery().get("Bruno").model == Other.id, "nothing is lost"


def test_a_model_that_cannot_be_had_leaves_the_one_in_use(tmp_path, monkeypatch):
    page = open_page("5_Models.py", tmp_path, monkeypatch)
    page.text_input(key="models-other").input("/no/such/model.onnx").run()
    page.button(key="models-add").click().run()
    text = said(page)
    while (job := installing.current()) is not None and not job.done:
        page.run()
        text += said(page)
    page.run()
    assert "There is no model at" in text + said(page)
    assert catalog.chosen() == "ecapa-bundled"


def test_an_empty_name_asks_for_one(tmp_path, monkeypatch):
    page = open_page("5_Models.py", tmp_path, monkeypatch)
    page.button(key="models-add").click().run()
    assert "Write the name or the path of a model" in said(page)


def test_only_an_admin_chooses(tmp_path, monkeypatch):
    monkeypatch.setattr(access, "visitor", lambda: access.Visitor("ben@example.org", "operator"))
    page = open_page("5_Models.py", tmp_path, monkeypatch)
    assert "chosen by an admin" in said(page)
    assert page.button(key="models-add").disabled
    assert all(button.disabled for button in page.button if str(button.key).startswith("use-"))


def test_a_choice_by_the_environment_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEAKERID_MODEL", "ecapa-bundled")
    page = open_page("5_Models.py", tmp_path, monkeypatch)
    assert "SPEAKERID_MODEL" in said(page) and page.button(key="models-add").disabled


def test_a_model_on_its_way_is_told_step_by_step_until_it_is_in_use(tmp_path, monkeypatch):
    resources.encoder()
    steps, taken = threading.Semaphore(0), threading.Semaphore(0)

    def ready(name, report):
        for step in (("Downloading 20 of 80 MB", 0.25), ("Calibrating: 60 of 120 voices heard", 0.5)):
            report(*step)
            taken.release()
            steps.acquire()
        return resources.encoder(), "It could not be calibrated."

    monkeypatch.setattr("speakerid.evaluate.installing.ready", ready)
    page = open_page("5_Models.py", tmp_path, monkeypatch)
    page.button(key="use-speechbrain-spkrec-ecapa-voxceleb").click().run()
    for what, share in (("Downloading 20 of 80 MB", 25), ("Calibrating: 60 of 120 voices heard", 50)):
        taken.acquire()
        page.run()
        (bar,) = page.get("progress")
        assert what in plain(bar.proto.text) and bar.proto.value == share
        assert "On its way: the top of this page" in said(page), "also beside the button"
        steps.release()
    while not installing.current().done:
        pass
    page.run()
    for _ in range(2):  # it stays until the visitor leaves the page
        assert "speechbrain/spkrec-ecapa-voxceleb is in use" in plain(page.success[0].value)
        assert "It could not be calibrated" in said(page) and not page.get("progress")
        page.run()
    assert not open_page("5_Models.py", tmp_path, monkeypatch).success, "it was told once"


def test_every_run_of_the_page_draws_the_part_that_watches(tmp_path, monkeypatch):
    """Else a run that began before the click, and ends after it, makes Streamlit forget that part."""
    drawn: list[tuple[str, ...]] = []
    clear = MemoryFragmentStorage.clear
    monkeypatch.setattr(
        MemoryFragmentStorage,
        "clear",
        lambda self, new_fragment_ids=None: (
            drawn.append(tuple(sorted(new_fragment_ids or ()))),
            clear(self, new_fragment_ids),
        )[1],
    )
    page = open_page("5_Models.py", tmp_path, monkeypatch)
    drawn.clear()
    page.run()
    installing._current = installing.Installing("another/model")
    page.run()
    installing._current.done = True
    page.run()
    assert len(drawn) >= 3 and len(set(drawn)) == 1 and drawn[0]


def test_the_time_left_is_told_once_it_can_be(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    job = installing.Installing("a/model")
    job._report("Calibrating: 1 of 100 voices heard", 0.01)
    now[0] += 10
    assert job.doing == "Calibrating: 1 of 100 voices heard", "too early"
    job._report("Calibrating: 25 of 100 voices heard", 0.25)
    assert job.doing == "Calibrating: 25 of 100 voices heard, about 30 s left"
    now[0] += 110
    assert job.doing == "Calibrating: 25 of 100 voices heard, about 6 min left"
    job._report("Checking the download", 1.0)
    assert job.doing == "Checking the download"
