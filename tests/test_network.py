"""Slow and many connections, on a real server: they are hung up on, and others are answered meanwhile."""

import logging
import socket
import time
import urllib.request
from contextlib import ExitStack

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
    app = Starlette(routes=[Route("/", _length, methods=["GET", "POST"])])
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
