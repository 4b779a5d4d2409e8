"""/v1/speakers: enroll, list, rename, delete; what is refused, and that nothing is left behind."""

import http.client
import json
import shutil
import tempfile

import pytest
from served import recordings, serving
from support import voices

from speakerid.gallery import Gallery
from speakerid.rest.service import Service
from speakerid.uploads import MAX_BYTES_AT_ONCE, MAX_FILES


def test_a_person_is_enrolled_listed_renamed_and_deleted_and_the_audit_log_says_so(empty):
    report = empty.form("/v1/speakers/Ada%20L.", recordings("Alice")[0], consent="true").json
    assert (report["name"], report["added"], report["warnings"]) == ("Ada L.", report["exemplars"], [])
    assert report["speech_seconds"] > 10 and len(report["quality"]) == 1
    (person,) = empty("GET", "/v1/speakers").json["speakers"]
    assert (person["name"], person["sources"]) == ("Ada L.", ["Alice-1.ogg"])
    assert person["recordings_kept"] == 0 and person["consent"]["source"] == "api"
    renamed = empty("PATCH", "/v1/speakers/ada%20l.", json.dumps({"name": "Ada/Lovelace"}).encode())
    assert renamed.json == {"old": "Ada L.", "new": "Ada/Lovelace"}
    assert empty("DELETE", "/v1/speakers/Ada%2FLovelace").json == {"removed": "Ada/Lovelace"}
    assert empty("GET", "/v1/health").json["people"] == 0
    log = empty.service.gallery.audit()
    assert [line["what"] for line in log] == ["enroll", "rename", "remove"]
    assert {line["who"] for line in log} == {"api"} and "Ada" not in json.dumps(log)
    assert not any(b"Ada" in path.read_bytes() for path in empty.folder.iterdir())


def test_nothing_is_enrolled_without_consent_or_recordings(empty):
    answer = empty.form("/v1/speakers/Ada", *recordings("Alice"))
    assert answer.status == 400 and "consent=true" in answer.error
    answer = empty.form("/v1/speakers/Ada", *recordings("Alice"), consent="yes")
    assert answer.status == 400 and "neither true nor false" in answer.error
    answer = empty.form("/v1/speakers/Ada", consent="true")
    assert answer.status == 422 and answer.error.startswith("No recording was given")
    answer = empty("POST", "/v1/speakers/Ada", b"file=none")
    assert answer.status == 415
    answer = empty("POST", "/v1/speakers/Ada", b"no form", Content_Type="multipart/form-data; boundary=x")
    assert answer.status == 400 and "curl -F" in answer.error
    assert not empty.folder.exists()


def test_recordings_are_kept_only_where_the_person_agreed(empty):
    empty.form("/v1/speakers/Ada", recordings("Alice")[0], consent="true", keep_recordings="true")
    person = empty.service.gallery.get("Ada")
    assert person.consent.keep_recordings
    assert person.consent.source == "api" and "recordings are kept" in person.consent.text
    assert empty("GET", "/v1/speakers").json["speakers"][0]["recordings_kept"] == 1


def test_a_voice_that_is_enrolled_already_is_refused_and_whose_it_is_is_told(api):
    answer = api.form("/v1/speakers/Zoe", recordings("Alice")[1], consent="true")
    assert answer.status == 409 and answer.json["belongs_to"] == "Alice"
    assert answer.error == answer.json["reasons"][0] and '"Alice"' in answer.error


def test_a_voice_like_that_of_somebody_enrolled_may_be_somebody_elses(empty):
    first, second = recordings("Alice")
    empty.form("/v1/speakers/Alice", first, consent="true")
    answer = empty.form("/v1/speakers/Zoe", second, consent="true", distinct_from="Ben\nAlice")
    assert answer.status == 409 and 'Nobody called "Ben" is enrolled (there is "Alice")' in answer.error
    assert len(empty.service.gallery.speakers()) == 1
    answer = empty.form("/v1/speakers/Zoe", second, consent="true", distinct_from="\nalice\n")
    assert answer.status == 200 and 'sounds very much like "Alice"' in answer.json["warnings"][0]


def test_a_bad_recording_is_refused_with_what_the_command_line_says(api, tmp_path):
    short = voices.write_wav(tmp_path / "short.wav", voices.turn("Daisy", 0)[:32000]).read_bytes()
    answer = api.form("/v1/speakers/Daisy", ("../short.wav", short), consent="true")
    assert answer.status == 422 and "seconds of usable speech and 5 are needed" in answer.error
    answer = api.form("/v1/speakers/Daisy", ("C:\\dir\\notes.txt", b"no sound" * 99), consent="true")
    assert answer.status == 415 and answer.error.startswith("notes.txt is not a sound file")


@pytest.mark.parametrize(
    ("method", "name", "body", "status", "says"),
    [
        ("DELETE", "Nobody", None, 404, 'Nobody called "Nobody"'),
        ("PATCH", "Nobody", {"name": "Zoe"}, 404, 'Nobody called "Nobody"'),
        ("PATCH", "Alice", {"name": "Bruno"}, 409, "already somebody"),
        ("PATCH", "Alice", {"name": "unknown"}, 422, "reserved"),
        ("PATCH", "Alice", {"nmae": "Zoe"}, 400, "new name is missing"),
        ("PATCH", "Alice", ["Zoe"], 400, "no JSON object"),
        ("PATCH", "Alice", {"name": "x" * 200_000}, 413, "larger than 100 kB"),
        ("DELETE", "J%F6rg", None, 400, "not UTF-8"),
        ("POST", "unknown", None, 422, "reserved"),
        ("POST", "", None, 422, "empty"),
        ("PUT", "Alice", None, 405, "not possible"),
    ],
)
def test_names_and_bodies_that_cannot_be_used(api, method, name, body, status, says):
    sent = None if body is None else json.dumps(body).encode()
    answer = api(method, f"/v1/speakers/{name}", sent)
    assert answer.status == status and says in answer.error
    if status == 405:
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST", "PATCH", "DELETE"}


def test_uploads_never_touch_the_disk(api, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there is no such folder"))
    wav = voices.write_wav(tmp_path / "long.wav", voices.enrollment("Bruno")[1], rate=48000).read_bytes()
    assert len(wav) > 1_500_000
    answer = api.form("/v1/embed", ("long.wav", wav))
    assert answer.status == 200 and api.service.gallery.get("Bruno").centroid @ answer.json["embedding"] > 0.8


def test_what_is_too_large_is_refused_before_it_is_read(api):
    connection = http.client.HTTPConnection(api.host, timeout=10)
    connection.putrequest("POST", "/v1/speakers/Zoe")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(2 * MAX_BYTES_AT_ONCE))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413 and "larger than 501 MB" in json.load(answer)["error"]


def test_more_files_than_one_enrollment_takes_are_refused(api):
    answer = api.form("/v1/speakers/Zoe", *[("a.wav", b"RIFF")] * (MAX_FILES + 1), consent="true")
    assert answer.status == 413 and f"{MAX_FILES} are the most" in answer.error


def test_encrypted_voiceprints_need_the_passphrase_of_the_server(tmp_path, pair, encoder):
    folder = shutil.copytree(pair.folder, tmp_path / "voiceprints")
    Gallery.open(folder, "").change_passphrase("correct horse")
    with serving(Service(Gallery.open(folder, "correct horse"), encoder)) as api:
        assert api("GET", "/v1/health").json["people"] == 2
    with serving(Service(Gallery.open(folder, ""), encoder)) as api:
        answer = api("GET", "/v1/speakers")
        assert answer.status == 503 and "passphrase" in answer.error
