"""Slow and many connections, on a real server: they are hung up on, and others are answered meanwhile."""

import logging
import socket
import time
import urllib.request
from contextlib import ExitStack, suppress

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from support.web_server import running
from uvicorn.protocols.http import auto

from speakerid import network


async def _length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def host():
    network.protect()
    app = Starlette(routes=[Route("/", _length, methods=["GET", "POST"]), Route("/big", _big)])
    with running(uvicorn.Server(uvicorn.Config(app, http="h11", log_level="error"))) as address:
        yield address


def _connect(host: str) -> socket.socket:
    name, port = host.split(":")
    return socket.create_connection((name, int(port)), timeout=10)


def _answer(client: socket.socket) -> bytes:
    """A head and its body of one byte."""
    came = b""
    while not came.partition(b"\r\n\r\n")[2]:
        came += client.recv(1000)
    return came


def _closed(client: socket.socket) -> bool:
    try:
        return client.recv(1000) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nx"]
)
def test_half_a_request_is_hung_up_on(host, monkeypatch, sent):
    monkeypatch.setattr(network, "PATIENCE", 0.2)
    with _connect(host) as client:
        client.sendall(sent)
        assert _closed(client)


def test_the_second_request_of_a_connection_has_its_time_too(host, monkeypatch):
    monkeypatch.setattr(network, "PATIENCE", 0.2)
    with _connect(host) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert _answer(client).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert _closed(client)


def test_a_body_that_goes_on_coming_is_read_to_its_end(host, monkeypatch):
    monkeypatch.setattr(network, "PATIENCE", 0.2)
    monkeypatch.setattr(network, "LEAST_BYTES", 1)
    with _connect(host) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            time.sleep(0.1)
            client.sendall(b"x")
        assert b"\r\n\r\n8" in _answer(client)


def _big(_: Request) -> PlainTextResponse:
    return PlainTextResponse("x" * 12_000_000)


def _greedy(host: str) -> socket.socket:
    """A client that asks for much and fetches nothing."""
    client = _connect(host)
    client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    return client


def _ends_early(client: socket.socket) -> bool:
    came = 0
    with suppress(ConnectionResetError):
        while part := client.recv(1_000_000):
            came += len(part)
    return came < 12_000_000


def test_whoever_fetches_nothing_of_an_answer_is_hung_up_on(host, monkeypatch):
    monkeypatch.setattr(network, "PATIENCE", 0.2)
    with _greedy(host) as client:
        for waited_for in (lambda: network._unread, lambda: not network._unread):
            deadline = time.monotonic() + 10
            while not waited_for():
                assert time.monotonic() < deadline
                time.sleep(0.01)
        assert _ends_early(client)


def test_whoever_fetches_slowly_gets_all_of_it(host, monkeypatch):
    monkeypatch.setattr(network, "PATIENCE", 0.2)
    with _greedy(host) as client:
        came = 0
        while came < 12_000_000:
            part = client.recv(1_000_000)
            assert part
            came += len(part)
            time.sleep(0.01 if came < 3_000_000 else 0)


def test_those_who_fetch_nothing_make_nobody_deaf(host, monkeypatch):
    monkeypatch.setattr(network, "MAX_CONNECTIONS", 20)
    with ExitStack() as stack:
        for _ in range(25):
            stack.enter_context(_greedy(host))
        deadline = time.monotonic() + 20
        while len(network._unread) < 20:  # all places are theirs
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with urllib.request.urlopen(f"http://{host}/", timeout=10) as answer:
            assert answer.status == 200


def test_who_waits_longest_has_to_go_where_there_are_too_many(host, monkeypatch):
    monkeypatch.setattr(network, "MAX_CONNECTIONS", 20)
    with ExitStack() as stack:
        slow = [stack.enter_context(_connect(host)) for _ in range(60)]
        with urllib.request.urlopen(f"http://{host}/", timeout=10) as answer:
            assert answer.status == 200
        assert all(_closed(client) for client in slow[:40])


def test_the_log_does_not_repeat_itself(monkeypatch):
    quiet = network.Quiet()
    records = [
        logging.LogRecord("asyncio", logging.ERROR, "", 0, "out of %s", (n,), None) for n in range(1000)
    ]
    assert [quiet.filter(record) for record in records] == [True] + [False] * 999
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert quiet.filter(records[0])


def test_httptools_where_it_is_installed_is_not_used(monkeypatch):
    monkeypatch.setattr(auto, "AutoHTTPProtocol", object)  # as uvicorn sets it to httptools' own then
    network.protect()
    config = uvicorn.Config(Starlette(), http="auto", log_config=None)
    config.load()
    assert config.http_protocol_class is network.H11Protocol
