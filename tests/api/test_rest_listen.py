"""/v1/listen: a real WebSocket, and the server as a process that Ctrl-C ends."""

import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from served import Api, serving
from support import voices
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from speakerid.gallery import Gallery
from speakerid.rest import live_session as listen
from speakerid.rest.routes import live as route
from speakerid.rest.service import Service

ROOT = Path(__file__).resolve().parents[2]


def pcm(samples: np.ndarray) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def send(socket: ClientConnection, sound: bytes, size: int = 6400) -> None:
    for at in range(0, len(sound), size):
        socket.send(sound[at : at + size])


def everything(socket: ClientConnection) -> list[dict]:
    """All messages until the server closes."""
    return [json.loads(text) for text in socket]


def messages(socket: ClientConnection) -> list[dict]:
    """All but what a busy computer says of being late."""
    return [message for message in everything(socket) if "behind" not in message]


def opened(api: Api, query: str = "") -> ClientConnection:
    return connect(f"ws://{api.host}/v1/listen{query}", open_timeout=10, max_size=None)


def test_sound_as_fast_as_it_goes_gives_what_the_recording_gives(api, talk, identified):
    with opened(api) as socket:
        send(socket, talk.read_bytes()[44:], size=9_999)  # samples cut in two
        socket.send("end")
        *decisions, last = messages(socket)
    recording = identified.json
    assert {key: last[key] for key in last if key != "turns"} == {
        key: recording[key] for key in ("seconds", "model", "calibrated")
    }
    heard = [turn["speaker"] for turn in recording["turns"]]
    assert [turn["speaker"] for turn in last["turns"]] == heard, "a recording's second look names the same"
    assert [turn["speaker"] for turn in last["turns"]] == ["unknown", "Bruno"]
    assert decisions == recording["decisions"]
    assert set(decisions[0]) == {"at", "speaker", "confidence", "scores", "also"}


def test_other_rates_are_resampled(api, tmp_path):
    turn = voices.turn("Bruno", 2)[: 2 * voices.RATE]
    path = voices.write_wav(tmp_path / "48.wav", turn, rate=48000)
    with opened(api, "?rate=48000") as socket:
        send(socket, path.read_bytes()[44:], size=1920)
        socket.send("end")
        *_, last = messages(socket)
    assert [turn["speaker"] for turn in last["turns"]] == ["Bruno"]
    assert last["seconds"] == pytest.approx(2, abs=0.05)


def test_decisions_come_while_sound_comes_and_a_new_name_is_used_at_once(
    pair, encoder, tmp_path, monkeypatch
):
    monkeypatch.setattr(listen, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr("speakerid.identify.watch.LOOK_SECONDS", 0.05)
    gallery = Gallery.open(shutil.copytree(pair.folder, tmp_path / "voiceprints"), "")
    with serving(Service(gallery, encoder)) as api, opened(api) as socket:
        send(socket, pcm(voices.turn("Alice", 1)))
        told: dict = {}
        while told.get("speaker") != "Alice":
            told = json.loads(socket.recv(10))
        answer = api("PATCH", "/v1/speakers/Alice", b'{"name": "Ada"}')
        assert answer.status == 200
        time.sleep(0.5)
        send(socket, pcm(voices.turn("Alice", 3)))
        socket.send("end")
        *decisions, _ = messages(socket)
    assert "Ada" in {decision["speaker"] for decision in decisions}


def test_what_is_neither_sound_nor_the_end_is_told(api):
    with opened(api) as socket:
        socket.send("stop")
        assert 'the text "end"' in json.loads(socket.recv(10))["error"]
        with pytest.raises(ConnectionClosed):
            socket.recv(10)
    assert socket.close_code == 1011


def test_an_end_without_sound_is_an_end(api):
    with opened(api) as socket:
        socket.send("end")
        (last,) = messages(socket)
    assert (last["turns"], last["seconds"], socket.close_code) == ([], 0.0, 1000)


@pytest.mark.parametrize(
    "query",
    ["?rate=44.1", "?rate=200000", "?rate=", "?rate=\u0663\u0663\u0663\u0663\u0663", "?rate=000016000999999"],
)
def test_a_rate_that_cannot_be_is_refused(api, query):
    with pytest.raises(InvalidStatus) as refused, opened(api, query):
        pass
    assert refused.value.response.status_code == 400


def until(true) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_more_listen_than_the_computer_keeps_up_with_and_who_goes_makes_room(api, monkeypatch):
    monkeypatch.setattr(api.service.engine, "_capacity", 1)
    with opened(api) as early, opened(api) as socket:
        send(socket, pcm(voices.turn("Alice", 0)))
        until(lambda: api.service.engine.full)
        with pytest.raises(InvalidStatus) as refused, opened(api):
            pass
        assert refused.value.response.status_code == 503 and refused.value.response.headers["Retry-After"]
        early.send(bytes(640))  # it was let in while there was room, and others were quicker
        assert "1 session is listening" in json.loads(early.recv(10))["error"]
        with pytest.raises(ConnectionClosed):
            early.recv(10)
        assert early.close_code == 1013
    until(lambda: not api.service.listening and not api.service.engine.full)


def test_clients_that_send_nothing_hold_no_place(api, monkeypatch):
    monkeypatch.setattr(api.service.engine, "_capacity", 1)
    monkeypatch.setattr(route, "MOST_SILENT", 2)
    with opened(api) as oldest, opened(api), opened(api):
        assert "No sound came" in json.loads(oldest.recv(10))["error"]  # the third has turned it away
        with opened(api) as socket:
            send(socket, pcm(voices.turn("Bruno", 0)))
            socket.send("end")
            *_, last = messages(socket)
        assert [turn["speaker"] for turn in last["turns"]] == ["Bruno"]
    until(lambda: not api.service.silent)


def test_a_client_that_does_not_read_is_let_go(api, monkeypatch):
    monkeypatch.setattr(listen, "_UNSENT", 2)

    async def stuck(*_):
        await listen.asyncio.sleep(60)

    monkeypatch.setattr(listen.Session, "_send", stuck)
    with opened(api) as socket:
        send(socket, pcm(voices.turn("Alice", 0)))
        assert "were not read" in json.loads(socket.recv(10))["error"]


class Slow:
    """An encoder on a computer that cannot keep up with real time."""

    def __init__(self, encoder):
        self.id, self._encoder = encoder.id, encoder

    def embed(self, blocks):
        time.sleep(0.3 * len(blocks))
        return self._encoder.embed(blocks)


def test_a_computer_that_cannot_keep_up_skips_windows_rather_than_answer_ever_later(
    pair, encoder, monkeypatch
):
    monkeypatch.setattr(listen, "_LATE", 0.1)
    samples = voices.turn("Alice", 4)[: 2 * voices.RATE]
    monkeypatch.setattr(listen, "LOOK_SECONDS", 0.05)
    with serving(Service(pair, Slow(encoder))) as api, opened(api) as socket:
        send(socket, pcm(samples))
        socket.send("end")
        *came, last = everything(socket)
    told = [message for message in came if "behind" in message]
    assert told and told[-1]["skipped"] > 0 and all(set(one) == {"behind", "skipped"} for one in told)
    assert [turn["speaker"] for turn in last["turns"]] == ["Alice"]


def test_ctrl_c_ends_the_process_at_once_with_a_client_listening_and_work_going_on(tmp_path, pair):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SPEAKERID_")}
    minute = np.tile(voices.turn("Alice", 0), 20)
    wav = voices.write_wav(tmp_path / "minute.wav", minute).read_bytes()
    command = [sys.executable, "-m", "speakerid", "serve", "--port", "0", "--json"]
    process = subprocess.Popen(
        [*command, "--voiceprints", str(pair.folder)],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        with urllib.request.urlopen(f"{url}/v1/health", timeout=20) as answer:
            assert json.load(answer)["people"] == 2
        with connect(f"{url.replace('http', 'ws')}/v1/listen", open_timeout=10) as socket:
            send(socket, pcm(minute))
            socket.recv(10)
            working = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
            working.request("POST", "/v1/identify", wav)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)  # the work would go on for longer
            answer = working.getresponse()
            assert answer.status == 503 and "ending" in json.load(answer)["error"]
            with pytest.raises(ConnectionClosed):
                while True:
                    socket.recv(5)
        assert (process.returncode, out, err) == (0, "", "")
        assert socket.close_code == 1012
    finally:
        process.kill()
        process.wait()


def test_messages_of_nothing_are_counted_too(api, monkeypatch):
    """Of empty ones, and of those of one sample, there could be millions in memory."""
    held = []

    async def stuck(session):
        held.append(session)
        await listen.asyncio.sleep(60)

    monkeypatch.setattr(listen, "_AHEAD", 20_000)
    monkeypatch.setattr(listen.Session, "_hear", stuck)
    with opened(api) as socket:
        for _ in range(2000):
            socket.send(b"")
        until(lambda: held and held[0]._inbox.qsize() >= 200)
        assert held[0]._inbox.qsize() <= 201


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_pieces_of_any_size_are_heard_at_every_rate(api, rate):
    chance = random.Random(rate)
    sound = pcm(voices.turn("Alice", 0))[:20_001]  # half a sample at the end
    with opened(api, f"?rate={rate}") as socket:
        at = 0
        while at < len(sound):
            size = chance.choice([0, 1, 2, 3, 5, 7, 640, 4096])
            socket.send(sound[at : at + size])
            at += size
        socket.send("end")
        *_, last = messages(socket)
    assert last["seconds"] == pytest.approx(10_000 / rate, abs=0.06)


@pytest.mark.parametrize(("rate", "size"), [(44100, 2), (48000, 6), (16000, 2), (8000, 4)])
def test_pieces_of_one_to_three_samples_are_heard(api, rate, size):
    with opened(api, f"?rate={rate}") as socket:
        send(socket, pcm(voices.turn("Alice", 0))[:4098], size=size)
        socket.send("end")
        *_, last = messages(socket)
    assert last["seconds"] == pytest.approx(2049 / rate, abs=0.06)  # the resampler holds some


def test_a_client_that_sends_nothing_does_not_keep_its_place(api, monkeypatch):
    monkeypatch.setattr(listen, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(listen, "LOOK_SECONDS", 0.05)
    with opened(api) as socket:
        socket.send(bytes(640))
        assert "sound came" in json.loads(socket.recv(10))["error"]
    until(lambda: not api.service.listening)


def test_opus_packets_are_heard(api):
    import av

    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    samples = np.frombuffer(pcm(voices.turn("Bruno", 0)), "<i2").astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = 16_000
    fifo, packets = av.AudioFifo(), []
    for out in av.AudioResampler(format="s16", layout="mono", rate=48_000).resample(frame):
        out.pts = None
        fifo.write(out)
    while piece := fifo.read(960):
        piece.pts = None
        packets += encoder.encode(piece)
    with opened(api, "?codec=opus") as socket:
        for packet in packets:
            socket.send(bytes(packet))
        socket.send("end")
        *_, last = messages(socket)
    assert [turn["speaker"] for turn in last["turns"]] == ["Bruno"]
    with opened(api, "?codec=opus") as socket:
        socket.send(b"\xff\xff\xff\xff no packet")
        assert "no Opus packet" in json.loads(socket.recv(10))["error"]
