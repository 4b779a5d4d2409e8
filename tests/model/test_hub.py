"""SpeechBrain's pretrained model, from a local server that plays the Hugging Face Hub."""

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from ecapa_reference import signal
from support.hub import REVISION, FakeHub, answering

from speakerid import Encoder, settings
from speakerid.errors import ModelError
from speakerid.model import hub

NAME = "speechbrain/spkrec-ecapa-voxceleb"
FILE_URL = f"/{NAME}/resolve/{REVISION}/embedding_model.ckpt"


@contextmanager
def serving(monkeypatch, server: FakeHub) -> Iterator[FakeHub]:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    with answering(server):
        yield server


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
    """The models in the cache."""
    found = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    return [path.name for path in found if not path.name.endswith(".source.json")]


def half_way(folder: Path) -> int:
    """Bytes of downloads that a later try goes on with."""
    return sum(path.stat().st_size for path in folder.rglob("*.part"))


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
    # The library writes 10 MB at a time, which is more than this checkpoint has.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 16)
    with (
        serving(monkeypatch, FakeHub(small_checkpoint, cuts=1, dead=True)),
        pytest.raises(ModelError, match=r"broke off .*try again.*ecapa-bundled\.$"),
    ):
        Encoder.load(NAME)
    have = half_way(cache)
    assert left_in(cache) == [] and 0 < have <= len(small_checkpoint) // 2
    with serving(monkeypatch, FakeHub(small_checkpoint)) as server:
        assert Encoder.load(NAME).channels == 64
    assert server.ranges == [f"bytes={have}-"], "it goes on where it ended"
    assert half_way(cache) == 0


def test_two_processes_download_once(monkeypatch, cache, small_checkpoint):
    with serving(monkeypatch, FakeHub(small_checkpoint, slow=1.5)) as server:
        code = f"from speakerid import Encoder; print(Encoder.load('{NAME}').id)"
        started = [
            subprocess.Popen([sys.executable, "-c", code], env=os.environ, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        said = [process.communicate(timeout=120)[0] for process in started]
    assert said[0] == said[1] and said[0].startswith("spkrec")
    assert sum(line.startswith("GET") for line in server.asked) == 1


def test_a_read_only_cache_is_read(monkeypatch, cache, small_checkpoint, unreachable):
    with serving(monkeypatch, FakeHub(small_checkpoint)):
        first = Encoder.load(NAME)
    monkeypatch.setenv("HF_ENDPOINT", unreachable)
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    for path in [cache, *cache.iterdir()]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        assert Encoder.load(NAME).id == first.id
        assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before, "nothing is written"
    finally:
        for path in [cache, *cache.iterdir()]:
            path.chmod(0o700)


def test_too_little_room_is_told_before_the_download(monkeypatch, cache, small_checkpoint):
    with (
        serving(monkeypatch, FakeHub(small_checkpoint, told=10**16)) as server,
        pytest.raises(ModelError, match=r"cannot be stored .*MB are needed and .*free some space"),
    ):
        Encoder.load(NAME)
    assert not any(line.startswith("GET") for line in server.asked)


def test_a_disk_that_fills_up_half_way(monkeypatch, cache, small_checkpoint):
    """The system refuses to write more, as it does at the end of a disk or a quota."""
    with serving(monkeypatch, FakeHub(small_checkpoint)):
        half = len(small_checkpoint) // 2
        code = (
            "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({half}, resource.RLIM_INFINITY))\n"
            "from speakerid.errors import ModelError; from speakerid.model import hub\n"
            f"try: hub.fetch(hub.parse('{NAME}'))\n"
            "except ModelError as error: print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-B", "-c", code], env=os.environ, capture_output=True, text=True, timeout=120
        )
        assert "cannot be stored in" in done.stdout and "free some space" in done.stdout, done
        assert left_in(cache) == []
        assert Encoder.load(NAME).channels == 64, "with room it goes on"


def test_a_file_of_a_repository_by_its_name(monkeypatch, cache, small_model):
    with serving(monkeypatch, FakeHub(small_model.read_bytes(), name="sub/model.safetensors")) as server:
        loaded = Encoder.load("hf://someone/ecapa@refs/pr/1/sub/model.safetensors")
    assert "GET /someone/ecapa/resolve/refs/pr/1/sub/model.safetensors" in server.asked
    assert loaded.id == Encoder.load(small_model).id.replace("small", "model")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("a/b", ("a/b", "main", "embedding_model.ckpt")),
        ("hf://a/b@v1", ("a/b", "v1", "embedding_model.ckpt")),
        ("a/b@refs/pr/1", ("a/b", "refs/pr/1", "embedding_model.ckpt")),
        ("hf://a/b/onnx/m.onnx", ("a/b", "main", "onnx/m.onnx")),
        ("hf://a/b@v1/m.safetensors", ("a/b", "v1", "m.safetensors")),
        ("hf://a/b/../../etc/m.onnx", None),
        ("a/b/c.onnx", None),
        ("a", None),
        ("hf://a", None),
        ("https://a/b", None),
    ],
)
def test_names_of_the_hub(name, meant):
    asked = hub.parse(name)
    assert (asked and (asked.repo, asked.revision, asked.file)) == meant


def test_numbers_that_changed_in_the_cache_are_noticed(monkeypatch, cache, small_checkpoint):
    with serving(monkeypatch, FakeHub(small_checkpoint)):
        Encoder.load(NAME)
        (file,) = cache.glob("*.safetensors")
        content = bytearray(file.read_bytes())
        content[-3] ^= 1  # still weights, but others
        file.write_bytes(content)
        with pytest.raises(ModelError, match="has been damaged since its download"):
            Encoder.load(NAME)


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
        (file,) = cache.glob("*.safetensors")
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
