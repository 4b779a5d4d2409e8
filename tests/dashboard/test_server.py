"""The live routes on a real web server: who is let in, what is served, and the end."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from support.app import App
from support.web_server import running
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from speakerid.dashboard.server import routes
from speakerid.dashboard.shared.assets import BOARD_URL, PLOTLY_URL, board_modules
from speakerid.dashboard.shared.channel import CHANNELS, LEFT_S, Channel


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """host:port of a server in this process, so that a test can open channels in it."""
    with running(uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error"))) as address:
        yield address


@pytest.fixture
def channel() -> Iterator[Channel]:
    made = CHANNELS.add(Channel(lambda: {"kind": "hello"}))
    yield made
    CHANNELS.close(made)


def watch(host: str, token: str, origin: str | None):
    return connect(f"ws://{host}/api/live/{token}", origin=origin, open_timeout=10)


def get(url: str):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_a_page_that_cannot_get_its_websocket_back_keeps_its_session_while_it_asks(host, channel):
    with watch(host, channel.token, f"http://{host}") as socket:
        socket.recv(10)
    deadline = time.monotonic() + 20
    while channel.subscribers:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    channel._last_seen -= 2 * LEFT_S
    assert get(f"http://{host}/api/live/{channel.token}")[0] == 200
    assert channel.abandoned(time.monotonic()), "whoever else asks is no page"
    assert get(f"http://{host}/api/live/{channel.token}?here")[0] == 200
    assert not channel.abandoned(time.monotonic())


def test_the_right_token_from_the_page_itself_is_let_in(host, channel):
    with watch(host, channel.token, f"http://{host}") as socket:
        assert json.loads(socket.recv(10))["kind"] == "hello"
        channel.publish({"kind": "update", "name": "Zoë"})
        assert json.loads(socket.recv(10))["name"] == "Zoë"
        assert channel.subscribers == 1
    deadline = time.monotonic() + 5
    while channel.subscribers:
        assert time.monotonic() < deadline, "a browser that has gone still counts"
        time.sleep(0.02)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null", None])
def test_another_sites_page_is_refused_even_with_the_right_token(host, channel, origin):
    with pytest.raises(InvalidStatus) as refused:
        watch(host, channel.token, origin)
    assert refused.value.response.status_code == 403
    assert channel.subscribers == 0


def test_a_made_up_token_is_refused(host):
    with pytest.raises(InvalidStatus) as refused:
        watch(host, "made-up", f"http://{host}")
    assert refused.value.response.status_code == 403
    status, headers, _ = get(f"http://{host}/api/live/made-up")
    assert (status, headers.get_content_type()) == (404, "application/json")


def test_a_closed_channel_ends_the_stream_and_is_gone(host):
    channel = CHANNELS.add(Channel(lambda: {"kind": "hello"}))
    with watch(host, channel.token, f"http://{host}") as socket:
        socket.recv(10)
        CHANNELS.close(channel)
        with pytest.raises(Exception, match="1001"):
            socket.recv(10)
    assert get(f"http://{host}/api/live/{channel.token}")[0] == 404


@pytest.mark.parametrize("sent", ["no json", "[1]", '{"drawn": "x"}', "{", "x" * 100_000])
def test_what_a_browser_sends_breaks_nothing(host, channel, sent):
    with watch(host, channel.token, f"http://{host}") as socket:
        socket.recv(10)
        socket.send(sent)
    with watch(host, channel.token, f"http://{host}") as socket:
        assert json.loads(socket.recv(10))["kind"] == "hello"


def test_the_log_is_served_under_the_token_alone(host, channel):
    channel.exports = lambda kind: (
        ("a b.csv", "text/csv; charset=utf-8", "start\n") if kind == "csv" else None
    )
    status, headers, body = get(f"http://{host}/api/live/{channel.token}/log.csv")
    assert (status, body) == (200, b"start\n")
    assert "a%20b.csv" in headers["Content-Disposition"]
    assert get(f"http://{host}/api/live/{channel.token}/log.exe")[0] == 404
    assert get(f"http://{host}/api/live/made-up/log.csv")[0] == 404


def test_plotly_comes_from_the_installed_package_and_is_cached(host):
    status, headers, body = get(f"http://{host}{PLOTLY_URL}")
    assert status == 200 and headers.get_content_type() == "text/javascript"
    assert "immutable" in headers["Cache-Control"]
    assert b"plotly.js v" in body[:400]


def test_the_boards_modules_are_served_and_import_one_another(host):
    folder = BOARD_URL.rpartition("/")[0]
    for name in board_modules():
        status, headers, body = get(f"http://{host}{folder}/{name}")
        assert status == 200 and headers.get_content_type() == "text/javascript"
        assert "immutable" in headers["Cache-Control"]
        for imported in re.findall(r'from "\./([^"]+)"', body.decode()):
            assert imported in board_modules(), (name, imported)
    assert get(f"http://{host}{folder}/loader.js")[0] == 404  # Streamlit has it
    assert get(f"http://{host}{folder}/%2e%2e/board.css")[0] == 404


def test_the_app_itself_serves_the_live_routes_and_ends_at_once(tmp_path):
    with App(tmp_path) as app:
        address = app.url.removeprefix("http://")
        status, headers, _ = get(f"{app.url}/api/live/made-up")
        assert (status, headers.get_content_type()) == (404, "application/json")
        assert get(f"{app.url}{PLOTLY_URL}")[0] == 200
        for origin in (app.url, "http://evil.example"):
            with pytest.raises(InvalidStatus) as refused:
                watch(address, "made-up", origin)
            assert refused.value.response.status_code == 403
        app.stop()  # raises where it hangs


def test_kept_sound_is_served_under_the_token_alone_and_only_what_is_kept(host, channel):
    channel.sound = lambda start, end: b"RIFF" if (start, end) == (1.5, 2.0) else None
    url = f"http://{host}/api/live/{channel.token}/sound.wav"
    status, headers, body = get(f"{url}?from=1500&to=2000")
    assert (status, body, headers.get_content_type()) == (200, b"RIFF", "audio/wav")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert get(f"{url}?from=0&to=900")[0] == 404
    assert get(f"http://{host}/api/live/made-up/sound.wav?from=1500&to=2000")[0] == 404


@pytest.mark.parametrize(
    "asked", ["", "?from=1", "?from=a&to=b", "?from=5&to=1", "?from=0&to=1e99", "?from=nan&to=1"]
)
def test_a_stretch_that_is_none_is_refused(host, channel, asked):
    channel.sound = lambda start, end: b"RIFF"
    assert get(f"http://{host}/api/live/{channel.token}/sound.wav{asked}")[0] == 400


def test_the_replayed_recording_is_served_while_it_plays(host, channel, tmp_path):
    url = f"http://{host}/api/live/{channel.token}/played"
    assert get(url)[0] == 404
    for played in (b"sound", tmp_path / "sound.ogg"):
        if not isinstance(played, bytes):
            played.write_bytes(b"sound")
        channel.played = lambda played=played: played
        status, headers, body = get(url)
        assert (status, body) == (200, b"sound") and headers["Cache-Control"] == "no-store"
    assert get(f"http://{host}/api/live/made-up/played")[0] == 404


@pytest.mark.parametrize(
    ("asked", "status", "body", "where"),
    [
        ("bytes=2-", 206, b"und", "bytes 2-4/5"),
        ("bytes=1-2", 206, b"ou", "bytes 1-2/5"),
        ("bytes=0-999", 206, b"sound", "bytes 0-4/5"),
        ("bytes=5-", 416, b"", "bytes */5"),
        ("bytes=" + "9" * 5000 + "-", 200, b"sound", None),  # more digits than Python reads
        ("bytes=0-" + "9" * 5000, 200, b"sound", None),
        ("lines=1", 200, b"sound", None),
    ],
)
def test_a_browser_may_go_to_any_second_of_an_uploaded_recording(host, channel, asked, status, body, where):
    channel.played = lambda: b"sound"
    request = urllib.request.Request(
        f"http://{host}/api/live/{channel.token}/played", headers={"Range": asked}
    )
    found = get(request)
    assert (found[0], found[2], found[1]["Content-Range"]) == (status, body, where)
