"""SpeechBrain's pretrained model, from a local server that plays the Hugging Face Hub."""

import hashlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from ecapa_reference import signal

from speakerid import Encoder, settings
from speakerid.errors import ModelError

NAME = "speechbrain/spkrec-ecapa-voxceleb"
REVISION = "5cb0c7e3d8dd392379096d39f564c9159d4d529a"
FILE_URL = f"/{NAME}/resolve/{REVISION}/embedding_model.ckpt"


class FakeHub(ThreadingHTTPServer):
    """Serves one file the way the hub does.

    Attributes:
        asked: "METHOD path" of each request for a file (the library has other questions of its own).
        cuts: how many downloads end half-way; after `dead` of them the server answers none at all.
        commit: whether it says which commit the file is from, as only a hub does.
    """

    daemon_threads = True

    def __init__(
        self, content: bytes, cuts: int = 0, dead: bool = False, commit: bool = True, etag: str = ""
    ):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.cuts, self.dead, self.commit = content, cuts, dead, commit
        self.etag = etag or hashlib.sha256(content).hexdigest()
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeHub

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body: bool):
        hub = self.server
        if "/resolve/" in self.path:
            hub.asked.append(f"{self.command} {self.path}")
        if not self.path.endswith("/embedding_model.ckpt") or "/nobody/" in self.path:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        downloads = sum(line.startswith("GET") for line in hub.asked)
        if body and hub.dead and downloads > hub.cuts:
            self.close_connection = True
            return
        start = int(self.headers.get("Range", "bytes=0-").split("=")[1].split("-")[0])
        rest = hub.content[start:]
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(len(rest)))
        if "Range" in self.headers:
            end = len(hub.content)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        self.send_header("ETag", f'"{hub.etag}"')
        if hub.commit:
            self.send_header("X-Repo-Commit", REVISION)
        self.end_headers()
        if body:
            cut = downloads <= hub.cuts
            self.wfile.write(rest[: len(rest) // 2] if cut else rest)
            self.close_connection = cut


@contextmanager
def serving(monkeypatch, server: FakeHub) -> Iterator[FakeHub]:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SPEAKERID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    for proxy in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def unreachable() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def left_in(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*")] if folder.exists() else []


def test_the_first_load_downloads_and_converts_and_the_second_asks_nobody(
    monkeypatch, cache, small_checkpoint, small_model, unreachable
):
    seen: list[tuple[int, int]] = []
    with serving(monkeypatch, FakeHub(small_checkpoint)) as server:
        first = Encoder.load(NAME, progress=lambda done, total: seen.append((done, total)))
        assert set(server.asked) == {f"HEAD {FILE_URL}", f"GET {FILE_URL}"}
        asked = len(server.asked)
        Encoder.load(NAME)
        assert len(server.asked) == asked
    assert first.name == NAME and first.channels == 64
    assert first.id == "spkrec-ecapa-voxceleb-" + Encoder.load(small_model).id.removeprefix("small-")
    assert seen[-1] == (len(small_checkpoint), len(small_checkpoint)) and seen == sorted(seen)
    assert left_in(cache) == [f"speechbrain--spkrec-ecapa-voxceleb@{REVISION}.safetensors"]

    block = signal(1.0)
    monkeypatch.setenv("HF_ENDPOINT", unreachable)
    again = Encoder.load(NAME)
    assert again.id == first.id and np.array_equal(again.embed([block]), first.embed([block]))
    assert np.array_equal(again.embed([block]), Encoder.load(small_model).embed([block]))

    code = f"import sys; from speakerid import Encoder; Encoder.load('{NAME}'); "
    code += "sys.exit('huggingface_hub' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, timeout=120).returncode == 0


def test_a_revision_can_be_asked_for(monkeypatch, cache, small_checkpoint):
    with serving(monkeypatch, FakeHub(small_checkpoint)) as server:
        Encoder.load(f"{NAME}@main")
        Encoder.load("someone/their-own-ecapa")
    assert server.asked[0] == f"HEAD /{NAME}/resolve/main/embedding_model.ckpt"
    assert "GET /someone/their-own-ecapa/resolve/main/embedding_model.ckpt" in server.asked
    assert sorted(left_in(cache)) == [
        "someone--their-own-ecapa@main.safetensors",
        "speechbrain--spkrec-ecapa-voxceleb@main.safetensors",
    ]


def test_a_connection_that_is_lost_once_is_taken_up_again(monkeypatch, small_checkpoint):
    seen = []
    with serving(monkeypatch, FakeHub(small_checkpoint, cuts=1)) as server:
        encoder = Encoder.load(NAME, progress=lambda done, total: seen.append((done, total)))
    assert encoder.channels == 64 and seen[-1] == (len(small_checkpoint), len(small_checkpoint))
    assert sum(line.startswith("GET") for line in server.asked) == 2


def test_a_connection_that_stays_lost_half_way(monkeypatch, cache, small_checkpoint):
    with (
        serving(monkeypatch, FakeHub(small_checkpoint, cuts=1, dead=True)),
        pytest.raises(ModelError, match=r"broke off .*try again.*ecapa-bundled\.$"),
    ):
        Encoder.load(NAME)
    assert left_in(cache) == []


def other_weights() -> bytes:
    import io

    file = io.BytesIO()
    torch.save({"embedding.weight": torch.zeros(3)}, file)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["a page", "nothing", "half of it", "other weights"])
def test_wrong_content_is_not_kept(monkeypatch, cache, small_checkpoint, kind):
    content = {
        "a page": b"<!doctype html><title>Sign in to the hotel network</title>",
        "nothing": b"",
        "half of it": small_checkpoint[: len(small_checkpoint) // 2],
        "other weights": other_weights(),
    }[kind]
    with serving(monkeypatch, FakeHub(content)), pytest.raises(ModelError) as caught:
        Encoder.load(NAME)
    message = str(caught.value)
    assert message.startswith(f"What was downloaded as {NAME} is not the model: embedding_model.ckpt")
    assert message.endswith("ecapa-bundled.") and str(cache) not in message
    assert left_in(cache) == []


def test_content_that_changed_on_the_way_is_not_kept(monkeypatch, cache, small_checkpoint):
    promised = hashlib.sha256(small_checkpoint).hexdigest()
    middle = len(small_checkpoint) // 2
    changed = (
        small_checkpoint[:middle] + bytes([small_checkpoint[middle] ^ 1]) + small_checkpoint[middle + 1 :]
    )
    with (
        serving(monkeypatch, FakeHub(changed, etag=promised)),
        pytest.raises(ModelError, match=r"arrived damaged.*try again.*ecapa-bundled\.$"),
    ):
        Encoder.load(NAME)
    assert left_in(cache) == []


def test_no_network_is_said_at_once_and_names_the_way_on(monkeypatch, cache, unreachable):
    monkeypatch.setenv("HF_ENDPOINT", unreachable)
    with pytest.raises(ModelError, match=r"cannot be reached .*Connection refused.*ecapa-bundled\.$"):
        Encoder.load(NAME)
    assert left_in(cache) == []


def test_a_server_that_is_no_hub(monkeypatch, cache, small_checkpoint):
    with (
        serving(monkeypatch, FakeHub(small_checkpoint, commit=False)),
        pytest.raises(ModelError, match=r"is not a Hugging Face Hub.*sign in.*ecapa-bundled\.$"),
    ):
        Encoder.load(NAME)
    assert left_in(cache) == []


def test_a_model_that_does_not_exist(monkeypatch, cache, small_checkpoint):
    with (
        serving(monkeypatch, FakeHub(small_checkpoint)),
        pytest.raises(ModelError, match=r"has no embedding_model.ckpt of nobody/nothing .*check the name"),
    ):
        Encoder.load("nobody/nothing")


def test_a_cache_that_cannot_be_written(monkeypatch, tmp_path, small_checkpoint):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SPEAKERID_CACHE", str(tmp_path / "file"))
    with (
        serving(monkeypatch, FakeHub(small_checkpoint)),
        pytest.raises(ModelError, match=r"cannot be stored in .*SPEAKERID_CACHE"),
    ):
        Encoder.load(NAME)


def test_a_damaged_cache_file_is_named_and_kept(monkeypatch, cache, small_checkpoint):
    with serving(monkeypatch, FakeHub(small_checkpoint)):
        Encoder.load(NAME)
        (file,) = cache.iterdir()
        file.write_bytes(file.read_bytes()[:-100])
        with pytest.raises(ModelError, match=r"has been damaged .*delete it .*ecapa-bundled\.$") as caught:
            Encoder.load(NAME)
    assert str(file) in str(caught.value) and file.exists()


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/speakerid"),
        ("linux", {"HOME": "/home/a"}, "/home/a/.cache/speakerid"),
        ("darwin", {"HOME": "/Users/a"}, "/Users/a/Library/Caches/speakerid"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/speakerid"),
        ("linux", {"SPEAKERID_CACHE": "/own", "XDG_CACHE_HOME": "/x"}, "/own"),
    ],
)
def test_where_the_cache_is(monkeypatch, platform, variables, expected):
    for name in ("SPEAKERID_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert settings.cache() == Path(expected)
