"""What visitors upload is bounded: file after file within one session of the real server, and the rule."""

import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from support.app import App
from websockets.sync.client import connect

from speakerid.dashboard.shared.uploads import LEAST_BYTES, SESSIONS, too_old

MOST_MB = 20


class Visitor:
    """A session of the app without a browser: its WebSocket, and its uploads over HTTP."""

    def __init__(self, url: str, session: str, token: str):
        self._url, self.session, self._token = url, session, token

    def upload(self, content: bytes, file: str = "") -> int:
        """Upload a file as the uploader of a page does; the status of the answer."""
        line = b"--x"
        head = b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav'
        body = b"\r\n".join([line, head, b"", content, line + b"--", b""])
        asked = urllib.request.Request(
            f"{self._url}/_stcore/upload_file/{self.session}/{file or uuid.uuid4()}",
            body,
            {
                "Content-Type": "multipart/form-data; boundary=x",
                "X-Xsrftoken": self._token,
                "Cookie": f"_streamlit_xsrf={self._token}",
            },
            method="PUT",
        )
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


@contextmanager
def visiting(url: str) -> Iterator[Visitor]:
    with urllib.request.urlopen(f"{url}/_stcore/health", timeout=60) as answer:
        cookies = SimpleCookie(", ".join(answer.headers.get_all("Set-Cookie") or ()))
    address, asked = f"ws{url.removeprefix('http')}/_stcore/stream", BackMsg()
    asked.rerun_script.query_string = ""
    # Without a limit of its queue, since nobody reads: the server's pings are to be answered.
    quiet = {"max_size": None, "max_queue": None, "ping_interval": None}
    with connect(address, subprotocols=["streamlit"], origin=url, **quiet) as socket:
        socket.send(asked.SerializeToString())
        session = kind = ""
        while kind != "script_finished":  # what the page loads is no upload
            told = ForwardMsg.FromString(socket.recv(60))
            kind = told.WhichOneof("type")
            session = session or told.new_session.initialize.session_id
        yield Visitor(url, session, cookies["_streamlit_xsrf"].value)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", str(MOST_MB))
        with App(tmp_path_factory.mktemp("uploads")) as started:
            yield started


def memory_mb(app: App) -> float:
    status = Path(f"/proc/{app.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_uploads_one_after_another_in_one_session_leave_memory_level(app):
    large, tiny = bytes(MOST_MB * 1_000_000), b"x"
    with visiting(app.url) as visitor:
        for _ in range(6):  # what malloc keeps for the next ones
            assert visitor.upload(large) == 204
        before = memory_mb(app)
        for _ in range(15):
            assert visitor.upload(large) == 204
        assert memory_mb(app) - before < 5 * MOST_MB  # all of them are 300 MB
        for _ in range(300):
            assert visitor.upload(tiny) == 204


def test_uploads_of_several_sessions_are_bounded_together(app):
    large = bytes(MOST_MB * 1_000_000)
    with ExitStack() as visits:
        visitors = [visits.enter_context(visiting(app.url)) for _ in range(8)]
        for visitor in visitors[: 2 * SESSIONS]:
            assert visitor.upload(large) == 204
        before = memory_mb(app)
        for visitor in visitors * 2:
            assert visitor.upload(large) == 204
        assert memory_mb(app) - before < 2 * SESSIONS * MOST_MB  # all sessions' are 160 MB


def test_the_oldest_uploads_go_and_the_newest_stays():
    assert too_old([("a", "1", 10**9)], 5) == []
    assert too_old([("a", "1", 10**6), ("a", "2", 10**6), ("a", "3", 10**6)], 2 * 10**6) == [("a", "1")]
    assert too_old([("a", "1", 10**6), ("b", "1", 10**6)], 10**6) == []
    everybody = [(name, "1", 10**6) for name in "abcd"]
    assert too_old(everybody, 10**6) == [("a", "1")]
    empty = [("a", str(number), 0) for number in range(100)]
    assert len(too_old(empty, 10 * LEAST_BYTES)) == 90
