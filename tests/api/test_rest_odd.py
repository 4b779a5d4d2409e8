"""Requests that no client library sends, on every route: each is answered below 500, and soon."""

import gzip
import http.client
import io
import socket
import time

import pytest
from served import Api, serving

from speakerid import network
from speakerid.gallery import Gallery
from speakerid.rest import uploads
from speakerid.rest.service import Service

TOKEN = "a token of some length"
ROUTES = [
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/metrics"),
    ("GET", "/nowhere"),
    ("GET", "/v1/health"),
    ("POST", "/v1/health"),
    ("GET", "/v1/speakers"),
    ("POST", "/v1/speakers/x"),
    ("PATCH", "/v1/speakers/x"),
    ("DELETE", "/v1/speakers/x"),
    ("POST", "/v1/identify"),
    ("POST", "/v1/embed"),
    ("POST", "/v1/verify?name=x"),
    ("POST", "/v1/nearest"),
    ("GET", "/v1/jobs/x"),
    ("DELETE", "/v1/jobs/x"),
    ("GET", "/v1/listen"),
]
READS_BODY = [path for method, path in ROUTES if method in ("POST", "PATCH") and path != "/v1/health"]
ADDRESSES = [b"[", b"]", b"http://[", b"null", b"\xff\xfe", b"1" * 4400, b"[::1%25]",
             b"127.0.0.1:99999999999", b"http://\xe2\x84\x80", b"\xa0localhost"]  # fmt: skip
BODIES = [b"[" * 99_000, b'{"a":' * 16_000, b'{"name":' + b"[" * 50_000, b'{"name":"\\ud800"}', b"1" * 5000,
          b'{"name":1e999}', b"\xff\xfe{", b"null", gzip.compress(b'{"name":"x"}'),
          gzip.compress(bytes(5_000_000))]  # fmt: skip


@pytest.fixture(scope="module", params=["for this computer", "for others"])
def door(request, tmp_path_factory, encoder):
    """An API with its token, as it is served here and to other computers."""
    here = request.param == "for this computer"
    gallery = Gallery.open(tmp_path_factory.mktemp("odd") / "voiceprints", "")
    with serving(Service(gallery, encoder), TOKEN, local=here) as api:
        yield api


def raw(api: Api, method: str, path: str, body: bytes = b"", **headers: bytes) -> int:
    """The status of what is sent as it is; underscores of header names stand for hyphens."""
    name, port = api.host.split(":")
    told = {"Host": b"127.0.0.1", "Authorization": f"Bearer {TOKEN}".encode(), **headers}
    if method != "GET":
        told.setdefault("Content_Length", str(len(body)).encode())
    head = [
        f"{method} {path} HTTP/1.1".encode(),
        *(k.replace("_", "-").encode() + b": " + v for k, v in told.items()),
    ]
    with socket.create_connection((name, int(port)), timeout=20) as client:
        client.sendall(b"\r\n".join([*head, b"Connection: close", b"", body]))
        answer = http.client.HTTPResponse(client, method=method)
        answer.begin()
        answer.read()
    return answer.status


@pytest.mark.parametrize("header", ["Host", "Origin"])
def test_addresses_that_are_none(door, header):
    for address in ADDRESSES:
        for method, path in ROUTES:
            assert raw(door, method, path, **{header: address}) < 500, (method, path, address)


@pytest.mark.parametrize("encoding", [b"identity", b"gzip", b"br, x"])
def test_bodies_that_are_nested_or_compressed(door, encoding):
    for body in BODIES:
        for method, path in ROUTES:
            if method != "GET":
                said = raw(
                    door, method, path, body, Content_Type=b"application/json", Content_Encoding=encoding
                )
                assert said < 500, (method, path, body[:20])


@pytest.mark.parametrize(
    "charset", ["undefined", "punycode", "unicode_escape", "idna", "utf-16", "hex", "\xff"]
)
def test_forms_in_no_charset(door, charset):
    kind = f"multipart/form-data; boundary=x; charset={charset}".encode("latin-1")
    for disposition in (b'form-data; name="consent"', b'form-data; name="file"; filename="a\xff.wav"', b"x"):
        body = b"--x\r\nContent-Disposition: " + disposition + b"\r\n\r\n\\ud800\xff\r\n--x--\r\n"
        for path in READS_BODY:
            assert raw(door, "POST", path, body, Content_Type=kind) < 500, (path, disposition)


@pytest.mark.parametrize("path", ["/%", "//v1/health", "*", "/v1/speakers/%ed%a0%80", "/v1/speakers/%00",
                                  "/v1/speakers/" + "x" * 40_000, "/v1/embed?" + "a=1&" * 8000])  # fmt: skip
def test_paths_that_are_none(door, path):
    for method in ("GET", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"):
        assert raw(door, method, path) < 500, method


@pytest.mark.parametrize("path", READS_BODY)
def test_whoever_sends_half_a_body_is_let_go_and_keeps_nobody_waiting(door, path, monkeypatch):
    monkeypatch.setattr(network, "PATIENCE", 0.3)
    monkeypatch.setattr(uploads, "_PATIENCE", 0.3)
    method = "PATCH" if path == "/v1/speakers/x" else "POST"
    name, port = door.host.split(":")
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    clients = [socket.create_connection((name, int(port)), timeout=20) for _ in range(20)]
    for client in clients:
        client.sendall(head.encode() + b"Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{")
    assert raw(door, "GET", "/v1/health") == 200
    for client in clients:
        with client:
            came = io.BytesIO()
            while part := _read(client):
                came.write(part)
            assert came.getvalue()[:12] in (b"", b"HTTP/1.1 408")
    deadline = time.monotonic() + 10
    while door.service.reading._taken:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _read(client: socket.socket) -> bytes:
    try:
        return client.recv(10_000)
    except ConnectionResetError:
        return b""
