"""/v1/identify and /v1/embed: the same answers as the Listener and the Encoder; limits of the work."""

import json
import socket
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from served import serving
from support import voices

import speakerid
from speakerid.audio.decode import decode
from speakerid.cli import main
from speakerid.conversation.formats import decision_row, turn_row
from speakerid.identify import Listener
from speakerid.rest.routes import recordings
from speakerid.rest.service import Service
from speakerid.rest.workers import Workers


@pytest.fixture
def sent(talk) -> bytes:
    return talk.read_bytes()


def test_a_recording_gives_the_turns_and_decisions_of_the_listener(api, talk, identified):
    answer = identified
    assert answer.status == 200
    listener = Listener(api.service.encoder, api.service.gallery)
    decisions = [*listener.push(decode(talk).samples), *listener.flush()]
    assert answer.json["decisions"] == json.loads(json.dumps([decision_row(one) for one in decisions]))
    conversation = speakerid.identify(talk, api.service.gallery, api.service.encoder)
    assert answer.json["turns"] == [turn_row(turn) for turn in conversation.turns]
    assert [turn["speaker"] for turn in answer.json["turns"]] == ["unknown", "Bruno"]
    assert (answer.json["model"], answer.json["calibrated"]) == (api.service.encoder.id, True)
    assert answer.json["seconds"] == pytest.approx(decode(talk).seconds, abs=0.01)


def test_the_command_line_says_the_same(api, talk, tmp_path, capsys):
    samples = decode(talk).samples
    film = tmp_path / "talk and more.mkv"
    damaged = tmp_path / "damaged.mp3"
    for path, codec, tracks in [(film, "flac", 2), (damaged, "libmp3lame", 1)]:
        with av.open(str(path), "w") as container:
            streams = [container.add_stream(codec, rate=16_000, layout="mono") for _ in range(tracks)]
            for stream in streams:
                size = stream.codec_context.frame_size or 1152
                for at in range(0, len(samples) - size, size):
                    heard = samples[at : at + size] * (stream is streams[-1])
                    frame = av.AudioFrame.from_ndarray(
                        (heard[None] * 32767).astype(np.int16), format="s16", layout="mono"
                    )
                    frame.sample_rate, frame.pts, frame.time_base = 16_000, at, Fraction(1, 16_000)
                    resampler = av.AudioResampler(stream.codec_context.format, "mono", 16_000)
                    container.mux([p for one in resampler.resample(frame) for p in stream.encode(one)])
                container.mux(stream.encode(None))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 3 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 3)
    damaged.write_bytes(content)
    for path, says in [(film, "heard is track 2"), (damaged, "is damaged at 0:0"), (talk, "")]:
        by_api = api.form("/v1/identify", (path.name, path.read_bytes()))
        arguments = ["identify", str(path), "--voiceprints", str(api.folder)]
        assert main([*arguments, "--json", "--rttm", str(tmp_path / "o.rttm")]) == 0
        assert by_api.json == json.loads(capsys.readouterr().out)
        assert says in " ".join(by_api.json["warnings"]) and by_api.json["turns"]
        kind = "text/x-rttm"
        body = path.read_bytes()
        boundary = (
            f'--x\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'.encode()
            + body
            + b"\r\n--x--\r\n"
        )
        rttm = api(
            "POST", "/v1/identify", boundary, Accept=kind, Content_Type="multipart/form-data; boundary=x"
        )
        assert rttm.content == (tmp_path / "o.rttm").read_bytes()


def test_a_recording_gives_its_embedding(api, sent):
    answer = api.form("/v1/embed", ("talk.wav", sent))
    (expected,) = api.service.encoder.embed([decode(sent).samples])
    assert np.allclose(answer.json["embedding"], expected, atol=1e-5) and len(expected) == 192


@pytest.mark.parametrize("path", ["/v1/identify", "/v1/embed"])
def test_what_is_no_recording_is_refused(api, path, tmp_path):
    silent = voices.write_wav(tmp_path / "silent.wav", np.zeros(32000, np.float32)).read_bytes()
    for body, status, says in [
        (b"", 400, "No recordings were sent"),
        (b"{}" * 100, 415, "not a sound file"),
        (silent, 422, "silent"),
    ]:
        answer = api("POST", path, body)
        assert answer.status == status and says in answer.error
    answer = api.form(path, ("a.wav", silent), ("b.wav", silent))
    assert answer.status == 400 and answer.error.startswith("2 recordings")


def test_decisions_are_given_only_where_they_fit_into_memory(api, sent, monkeypatch):
    monkeypatch.setattr(recordings, "MAX_SCORES", 30)
    answer = api("POST", "/v1/identify?decisions=true", sent)
    assert answer.status == 413 and "leave out decisions" in answer.error
    assert api("POST", "/v1/identify?decisions=si", sent).status == 400


def test_who_finds_no_place_is_told_to_come_back(pair, encoder, sent):
    service = Service(pair, encoder, heavy=Workers(threads=1, waiting=0))
    with serving(service) as api:
        with service.heavy.place():
            answer = api("POST", "/v1/embed", sent)
            assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
            assert api("GET", "/v1/health").status == 200  # looking needs no such place
        assert api("POST", "/v1/embed", sent).status == 200


def test_the_bodies_of_all_requests_together_are_bounded(api, sent, monkeypatch):
    monkeypatch.setattr("speakerid.rest.workers.BYTES_AT_ONCE", len(sent) - 1)
    answer = api("POST", "/v1/embed", sent)
    assert answer.status == 503 and "Retry-After" in answer.headers
    monkeypatch.setattr("speakerid.rest.workers.BYTES_AT_ONCE", len(sent))
    assert [api("POST", "/v1/embed", sent).status for _ in range(2)] == [200, 200]  # what was held is freed


def test_a_client_that_sends_nothing_does_not_keep_its_place(api, monkeypatch):
    monkeypatch.setattr("speakerid.rest.uploads._PATIENCE", 0.1)
    host, port = api.host.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(f"POST /v1/embed HTTP/1.1\r\nHost: {api.host}\r\nContent-Length: 9\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_work_ends_when_its_client_goes(pair, encoder, tmp_path):
    samples, _ = voices.conversation(["Alice", "Bruno"] * 4)
    long = voices.write_wav(tmp_path / "long.wav", np.tile(samples, 20)).read_bytes()  # minutes of work
    service = Service(pair, encoder, heavy=Workers(threads=1, waiting=0))
    with serving(service) as api:
        host, port = api.host.split(":")
        with socket.create_connection((host, int(port))) as client:
            head = f"POST /v1/identify HTTP/1.1\r\nHost: {api.host}\r\nContent-Length: {len(long)}\r\n\r\n"
            client.sendall(head.encode() + long)
            deadline = time.monotonic() + 10
            while api("POST", "/v1/embed", b"").status != 503:  # until its work has begun
                assert time.monotonic() < deadline
            time.sleep(0.3)
        deadline = time.monotonic() + 5
        while api("POST", "/v1/embed", b"").status == 503:
            assert time.monotonic() < deadline
            time.sleep(0.05)
