"""What a developer expects beside the main calls: documents, one person, verify, nearest, jobs, formats."""

import json
import resource
import struct
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from served import recordings as recordings_of
from served import serving
from support import voices

import speakerid
from speakerid import cli
from speakerid.gallery import Gallery
from speakerid.gallery.voiceprint import to_bytes
from speakerid.rest import jobs
from speakerid.rest.access import Caller
from speakerid.rest.routes import recordings
from speakerid.rest.service import Service
from speakerid.rest.workers import Workers


@pytest.fixture(scope="module")
def alice(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("alice") / "alice.wav"
    return voices.write_wav(path, np.concatenate([voices.turn("Alice", n) for n in (0, 1)])).read_bytes()


def test_the_documentation_works_offline(api):
    page = api("GET", "/docs").content.decode()
    assert "https://" not in page and "/static-offline-docs/swagger-ui-bundle.js" in page
    assert len(api("GET", "/static-offline-docs/swagger-ui-bundle.js").content) > 1_000_000
    document = api("GET", "/openapi.json").json
    assert "Verified" in document["components"]["schemas"]
    assert api("GET", "/redoc").status == 404


def test_one_person_is_told(api):
    person = api("GET", "/v1/speakers/alice").json
    assert person["name"] == "Alice" and person["exemplars"] > 0
    assert api("GET", "/v1/speakers/Nobody").status == 404


def test_a_voice_is_verified_alike_by_rest_python_and_the_command_line(api, alice, tmp_path, capsys):
    right, wrong = (api("POST", f"/v1/verify?name={name}", alice).json for name in ("Alice", "Bruno"))
    assert right["probability"] > 0.95 and wrong["probability"] < 0.5
    found = speakerid.verify("Alice", alice, api.service.gallery, api.service.encoder)
    assert found.log_likelihood_ratio == pytest.approx(right["log_likelihood_ratio"], abs=1e-3)
    path = tmp_path / "alice.wav"
    path.write_bytes(alice)
    folder = str(api.folder)
    assert cli.main(["verify", "Alice", str(path), "--voiceprints", folder, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["log_likelihood_ratio"] == pytest.approx(right["log_likelihood_ratio"], abs=1e-3)
    assert api("POST", "/v1/verify?name=Nobody", alice).status == 404
    assert api("POST", "/v1/verify", alice).status == 400


def test_who_is_nearest_is_told_with_scores(api, alice):
    told = api("POST", "/v1/nearest", alice).json
    assert [one["name"] for one in told["nearest"]] == ["Alice", "Bruno"]
    assert told["nearest"][0]["log_likelihood_ratio"] > 0 > told["nearest"][1]["log_likelihood_ratio"]
    assert len(api("POST", "/v1/nearest?most=1", alice).json["nearest"]) == 1


@pytest.mark.parametrize(
    ("accept", "kind", "holds"),
    [
        ("text/x-rttm", "text/x-rttm", "SPEAKER "),
        ("text/csv;q=0.9", "text/csv", "start,end,speaker"),
        ("application/x-subrip", "application/x-subrip", " --> "),
        ("text/vtt, */*", "text/vtt", "WEBVTT\n\n00:00:"),
        ("*/*", "application/json", '"turns"'),
    ],
)
def test_turns_come_in_the_format_that_is_accepted(api, talk, accept, kind, holds):
    answer = api("POST", "/v1/identify", talk.read_bytes(), Accept=accept)
    assert answer.status == 200 and answer.headers.get_content_type() == kind
    assert holds in answer.content.decode() and "Bruno" in answer.content.decode()


def test_a_format_that_there_is_not_is_refused(api, talk):
    answer = api("POST", "/v1/identify", talk.read_bytes(), Accept="image/png")
    assert answer.status == 406 and "text/vtt" in answer.error


def test_a_long_recording_is_a_job(api, talk, identified):
    answer = api("POST", "/v1/identify", talk.read_bytes(), Prefer="respond-async")
    assert answer.status == 202 and answer.json["state"] in ("waiting", "running")
    deadline = time.monotonic() + 30
    while (job := api("GET", answer.headers["Location"]).json)["state"] != "done":
        assert time.monotonic() < deadline and job["state"] != "failed"
        time.sleep(0.05)
    assert job["result"]["turns"] == identified.json["turns"]
    assert job["heard"] == pytest.approx(job["seconds"], abs=0.1)
    assert api("DELETE", answer.headers["Location"]).status == 200
    assert api("GET", answer.headers["Location"]).status == 404


def test_a_job_that_is_cancelled_ends(api, tmp_path):
    samples, _ = voices.conversation(["Alice", "Bruno"] * 4)
    long = voices.write_wav(tmp_path / "long.wav", np.tile(samples, 20)).read_bytes()
    where = api("POST", "/v1/identify", long, Prefer="respond-async").headers["Location"]
    job = next(iter(api.service.jobs._jobs.values()))
    assert api("DELETE", where).status == 200
    deadline = time.monotonic() + 10
    while job.ended_at is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert job.heard < 600 and job.result is None


def test_recordings_of_waiting_jobs_are_bounded_together(api, talk, monkeypatch):
    sent = talk.read_bytes()
    monkeypatch.setattr(jobs, "MAX_BYTES", len(sent) - 1)
    answer = api("POST", "/v1/identify", sent, Prefer="respond-async")
    assert answer.status == 503 and answer.headers["Retry-After"]


def test_results_of_jobs_are_kept_as_long_as_there_is_room(empty, monkeypatch):
    there = empty.service.jobs

    def done(size: int) -> str:
        job = there.start(Caller(), lambda _: {"turns": "x" * size}, 1)
        deadline = time.monotonic() + 10
        while job.ended_at is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return job.id

    monkeypatch.setattr(jobs, "KEPT_BYTES", 1000)
    first, second = done(600), done(600)
    third = done(1)
    assert empty("GET", f"/v1/jobs/{first}").status == 404
    assert len(empty("GET", f"/v1/jobs/{second}").json["result"]["turns"]) == 600
    assert empty("GET", f"/v1/jobs/{third}").json["state"] == "done"


def test_a_job_that_fails_says_why(api):
    where = api("POST", "/v1/identify", b"no sound" * 50, Prefer="respond-async").headers["Location"]
    deadline = time.monotonic() + 10
    while (job := api("GET", where).json)["state"] != "failed":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "not a sound file" in job["error"]


def test_one_requests_work_is_bounded_in_time_and_length(api, talk, monkeypatch):
    monkeypatch.setattr(recordings, "MAX_WORK_SECONDS", 0.0)
    answer = api("POST", "/v1/identify", talk.read_bytes())
    assert answer.status == 413 and "respond-async" in answer.error
    monkeypatch.setattr(recordings, "MAX_WORK_SECONDS", 60.0)
    monkeypatch.setattr(recordings, "MAX_SECONDS", 1.0)
    answer = api("POST", "/v1/identify", talk.read_bytes())
    assert answer.status == 422 and "longer than" in answer.error


def test_prometheus_is_told_how_it_fares(api, identified):
    api("GET", "/nowhere")
    text = api("GET", "/metrics").content.decode()
    assert 'speakerid_requests_total{status="404"}' in text and "speakerid_live_sessions 0.0" in text
    assert "Alice" not in text


def test_health_answers_whatever_else_is_busy(pair, encoder):
    service = Service(pair, encoder, heavy=Workers(threads=1, waiting=0), quick=Workers(threads=1, waiting=0))
    with serving(service) as api, service.heavy.place(), service.quick.place():
        assert api("GET", "/v1/speakers").status == 503
        assert api("GET", "/v1/health").json["status"] == "ok"


def test_health_says_so_where_the_disk_hangs_or_the_folder_is_gone(tmp_path, pair, encoder, monkeypatch):
    import shutil

    folder = shutil.copytree(pair.folder, tmp_path / "voiceprints")
    with serving(Service(Gallery.open(folder, ""), encoder)) as api:
        assert api("GET", "/v1/health").json["people"] == 2
        go_on = threading.Event()
        count = api.service._count
        monkeypatch.setattr(api.service, "_count", lambda: go_on.wait(20) and count())
        assert api("GET", "/v1/health").json["status"] == "busy"
        go_on.set()
        folder.rename(tmp_path / "away")
        answer = api("GET", "/v1/health")
        assert answer.status == 503 and "voiceprints" in answer.error


def test_a_float_wav_beyond_all_measure_is_refused_or_heard(api):
    import struct

    samples = np.full(16_000, 3e38, "<f4").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 3, 1, 16_000,
                       64_000, 4, 32, b"data", len(samples))  # fmt: skip
    for path in ("/v1/identify", "/v1/embed", "/v1/verify?name=Alice"):
        assert api("POST", path, head + samples).status < 500


def test_a_header_of_more_bytes_a_sample_than_fit_its_field_is_refused(api):
    import struct

    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 68_036, b"WAVE", b"fmt ", 16, 1, 65_535, 16_000,
                       64_000, 0, 65_535, b"data", 68_000)  # fmt: skip
    assert 400 <= api("POST", "/v1/embed", head + bytes(68_000)).status < 500


@pytest.mark.parametrize("path", ["/v1/identify", "/v1/embed", "/v1/verify?name=Alice", "/v1/nearest"])
def test_a_header_that_claims_two_thousand_million_samples_a_second_is_refused(api, path):
    samples, most = bytes(200_000), 2**31 - 1
    kind = struct.pack("<IHHIIHH", 16, 1, 1, most, most, 2, 16)
    head = b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + kind
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = api("POST", path, head + struct.pack("<4sI", b"data", len(samples)) + samples)
    assert answer.status in (415, 422) and answer.error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB; it once took 21 GB


def test_brackets_without_end_are_no_json(api):
    answer = api("PATCH", "/v1/speakers/Alice", b"[" * 90_000)
    assert answer.status == 400 and "no JSON object" in answer.error


def test_one_damaged_voiceprint_and_one_beyond_all_measure_leave_the_others(empty):
    for name in ("Alice", "Bruno", "Callum"):
        assert empty.form(f"/v1/speakers/{name}", recordings_of(name)[0], consent="true").status == 200
    gallery = empty.service.gallery
    bruno, callum = gallery.get("Bruno"), gallery.get("Callum")
    endless = to_bytes(replace(bruno, seconds=bruno.seconds * 0 + 3e38))
    spoilt = {f"{bruno.id}.safetensors": endless, f"{callum.id}.safetensors": b"[" * 100_000}
    with gallery.store.locked():
        gallery.store.write_raw(spoilt)
    answer = empty("GET", "/v1/speakers")
    assert [person["name"] for person in answer.json["speakers"]] == ["Alice"]
    assert len(answer.json["damaged"]) == 2 and empty("GET", "/v1/speakers/Alice").status == 200
