"""The proxy's configuration as it ships, in nginx, before two real apps on one PostgreSQL."""

import http.client
import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from gallery.people import voiceprint
from support.app import App
from support.postgres import Server

from speakerid.gallery.keys import Keys
from speakerid.gallery.opening import open_store

SHIPPED = Path(__file__).resolve().parents[1] / "speakerid/deployment/nginx.conf"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port: int, path: str, **headers: str) -> tuple[int, http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", port, timeout=120, context=ssl._create_unverified_context()
    )
    connection.request("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()})
    answer = connection.getresponse()
    content = answer.read() if answer.status != 101 else b""
    connection.close()
    return answer.status, answer, content


@pytest.fixture
def replicas(tmp_path, monkeypatch) -> Iterator[tuple[App, App, str]]:
    monkeypatch.setenv("SPEAKERID_API", "1")
    server = Server()
    with ExitStack() as stack:
        stack.callback(server.stop)
        place = server.place("replicas")
        apps = []
        for number in (1, 2):
            (tmp_path / str(number)).mkdir()
            apps.append(stack.enter_context(App(tmp_path / str(number), place=place)))
        yield apps[0], apps[1], place


@pytest.fixture
def proxy(replicas, tmp_path) -> Iterator[tuple[int, int]]:
    """The ports for http and https."""
    plain, secure = free_port(), free_port()
    text = SHIPPED.read_text()
    for number, app in enumerate(replicas[:2], 1):
        text = text.replace(f"app-{number}:8501", app.url.replace("http://localhost", "127.0.0.1"))
    text = text.replace("listen 80;", f"listen {plain};").replace("listen 443 ssl;", f"listen {secure} ssl;")
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {", f"http {{ access_log off; {folders}")
    (tmp_path / "nginx.conf").write_text(text)
    (tmp_path / "certificates").mkdir()
    key, certificate = (tmp_path / "certificates" / f"speakerid.{end}" for end in ("key", "crt"))
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    command = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    running = subprocess.Popen([*command, "-g", f"daemon off; pid {tmp_path}/pid;"])
    deadline = time.monotonic() + 20
    while socket.socket().connect_ex(("127.0.0.1", secure)):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    yield plain, secure
    running.terminate()
    running.wait()


def test_pages_sockets_and_the_api_pass_the_proxy_and_a_replica_may_end(replicas, proxy):
    first, second, place = replicas
    plain, secure = proxy
    connection = http.client.HTTPConnection("127.0.0.1", plain, timeout=30)
    connection.request("GET", "/Live?a=b")
    moved = connection.getresponse()
    assert moved.status == 301 and re.fullmatch(r"https://[^/]+/Live\?a=b", moved.headers["Location"])
    status, answer, content = ask(secure, "/Live")
    assert status == 200 and "text/html" in answer.headers["Content-Type"] and b"Streamlit" in content
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert ask(secure, "/_stcore/stream", Origin=f"https://127.0.0.1:{secure}", **upgrade)[0] == 101
    assert ask(secure, "/_stcore/stream", Origin="https://elsewhere.example", **upgrade)[0] == 403

    key = Keys(open_store(place)).add("whoever tests", "operator")

    def people() -> list[str]:
        status, _, content = ask(secure, "/api/v1/speakers", Authorization=f"Bearer {key}")
        assert status == 200, content
        return [person["name"] for person in json.loads(content)["speakers"]]

    assert ask(secure, "/api/v1/speakers")[0] == 401
    assert people() == []
    open_store(place).put(voiceprint("Anna"))
    deadline = time.monotonic() + 20
    while people() != ["Anna"]:
        assert time.monotonic() < deadline
    for ended in (first, second):  # whichever of them nginx had chosen
        ended.stop()
        assert people() == ["Anna"]
        ended.start()


def test_the_image_holds_nothing_of_who_builds_it():
    left_out = set((SHIPPED.parent / "Dockerfile.dockerignore").read_text().splitlines())
    private = {"voiceprints/*", ".streamlit/secrets.toml", ".git"}
    beside = {f"speakerid/deployment/{name}" for name in (".env", "secrets.toml", "certificates")}
    assert left_out >= private | beside
