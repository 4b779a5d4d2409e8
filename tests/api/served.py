"""The REST API on a real web server in this process, with the real model; what a client does with it."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

from support import voices
from support.web_server import running

from speakerid.api import Server
from speakerid.rest.service import Service


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    content: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.content)

    @property
    def error(self) -> str:
        """The sentence of a refusal."""
        assert self.status >= 400, self
        return self.json["error"]


@dataclass
class Api:
    """A server and its client.

    Attributes:
        host: with the port.
        service: what it serves, in this process.
    """

    host: str
    service: Service
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.service.gallery.folder

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send a request; underscores of header names stand for hyphens."""
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        request = urllib.request.Request(f"http://{self.host}{path}", body, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def form(self, path: str, *files: tuple[str, bytes], **fields: str) -> Answer:
        """POST a form with files (name, content) and fields."""
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        for name, content in files:
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
            parts += [head.encode(), content, b"\r\n"]
        parts.append(f"--{boundary}--\r\n".encode())
        return self("POST", path, b"".join(parts), Content_Type=f"multipart/form-data; boundary={boundary}")


@contextmanager
def serving(service: Service, token: str = "", *, local: bool = True) -> Iterator[Api]:
    """A server of its own in a thread."""
    with running(Server(service, token, local=local)) as host:
        yield Api(host, service)


def recordings(name: str) -> list[tuple[str, bytes]]:
    """Two files to enroll this person from, as `Api.form` takes them."""
    return [(path.name, path.read_bytes()) for path in voices.enrollment_files(name)]
