"""A local server that plays the Hugging Face Hub."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REVISION = "5cb0c7e3d8dd392379096d39f564c9159d4d529a"


class FakeHub(ThreadingHTTPServer):
    """Serves one file the way the hub does.

    Attributes:
        asked: "METHOD path" of each request for a file (the library has other questions of its own).
        cuts: how many downloads end half-way; after `dead` of them the server answers none at all.
        commit: whether it says which commit the file is from, as only a hub does.
        name: of the file; slow: seconds before its content comes; told: its size, where it lies about that.
        ranges: the parts that were asked for.
    """

    daemon_threads = True

    def __init__(
        self,
        content: bytes,
        cuts: int = 0,
        dead: bool = False,
        commit: bool = True,
        etag: str = "",
        name: str = "embedding_model.ckpt",
        slow: float = 0.0,
        told: int = 0,
    ):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.cuts, self.dead, self.commit = content, cuts, dead, commit
        self.etag = etag or hashlib.sha256(content).hexdigest()
        self.name, self.slow, self.told = name, slow, told
        self.asked: list[str] = []
        self.ranges: list[str] = []

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
        if not self.path.endswith(f"/{hub.name}") or "/nobody/" in self.path:
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
        self.send_header("Content-Length", str(hub.told or len(rest)))
        if body and "Range" in self.headers:
            hub.ranges.append(self.headers["Range"])
        if "Range" in self.headers:
            end = len(hub.content)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        self.send_header("ETag", f'"{hub.etag}"')
        if hub.commit:
            self.send_header("X-Repo-Commit", REVISION)
        self.end_headers()
        if body:
            time.sleep(hub.slow)
            cut = downloads <= hub.cuts
            self.wfile.write(rest[: len(rest) // 2] if cut else rest)
            self.close_connection = cut


@contextmanager
def answering(server: FakeHub) -> Iterator[FakeHub]:
    """The server, in a thread of this process."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
