"""Bodies of requests, in memory: what somebody said is written to no file, not even a temporary one."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from speakerid.audio.container import Sound
from speakerid.errors import AudioError
from speakerid.json_text import json_object
from speakerid.rest.refusals import Refusal
from speakerid.rest.workers import Place

_LONGEST_JSON = 100_000  # bytes
_PATIENCE = 30.0  # seconds that a body may take …
_SLOWEST = 10_000  # … and one more for so many bytes: who sends one now and then must not stay for ever


@dataclass(frozen=True)
class Upload:
    """A file that was sent.

    Attributes:
        name: what to call it in messages; its own, without folders, or "The recording".
    """

    content: bytes
    name: str = "The recording"


class _InMemory(MultiPartParser):
    spool_max_size = 1 << 40  # far above every limit: never spooled to the disk


def is_form(request: Request) -> bool:
    """Whether the body is multipart/form-data."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower() == "multipart/form-data"


async def read_form(request: Request, place: Place, most: int) -> tuple[list[Upload], dict[str, str]]:
    """The files of a multipart form, in their order, and its other fields by name.

    Args:
        most: bytes that the body may have.

    Raises:
        Refusal: too large, or no such form.
    """
    form = FormData()
    try:
        form = await _InMemory(request.headers, _body(request, place, most)).parse()
        files = [
            Upload(await one.read(), _base(one.filename))
            for _, one in form.multi_items()
            if isinstance(one, UploadFile)
        ]
    except (MultiPartException, UnicodeError) as error:  # the latter of a charset such as "undefined"
        why = error.message.rstrip(".") if isinstance(error, MultiPartException) else "its charset"
        raise Refusal(
            HTTPStatus.BAD_REQUEST, f"The form cannot be read ({why}): send it as curl -F does."
        ) from error
    finally:
        await form.close()
    return files, {name: value for name, value in form.multi_items() if isinstance(value, str)}


async def read_recording(request: Request, place: Place, most: int) -> Upload:
    """The one recording that was sent, as the file of a form or as the whole body.

    Raises:
        Refusal: too large, none or several.
    """
    if not is_form(request):
        parts = [part async for part in _body(request, place, most)]
        content = b"".join(parts)
        files = [Upload(content)] if content else []
    else:
        files, _ = await read_form(request, place, most)
    if len(files) != 1:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            f"{len(files) or 'No'} recordings were sent: send one, as the body or as a file of a form.",
        )
    return files[0]


async def read_json(request: Request, place: Place) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        Refusal: it is too large or none.
    """
    parts = [part async for part in _body(request, place, _LONGEST_JSON)]
    try:
        return json_object(b"".join(parts))
    except (ValueError, RecursionError) as error:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, 'The body is no JSON object: send one, such as {"name": "Ada"}.'
        ) from error


def require_sound(upload: Upload) -> float:
    """Make sure that a file is a recording at all; the seconds that its header tells, or 0.

    Raises:
        Refusal: if not.
    """
    try:
        sound = Sound(upload.content, upload.name)
        sound.close()
        return sound.told
    except AudioError as error:
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(error)) from error


async def _body(request: Request, place: Place, most: int) -> AsyncGenerator[bytes, None]:
    most = min(most, request.state.caller.most_bytes)
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > most:
        raise _too_large(most)
    count = 0
    parts = request.stream()
    began = asyncio.get_running_loop().time()
    while True:
        try:
            async with asyncio.timeout_at(began + _PATIENCE + count / _SLOWEST):
                part = await anext(parts, None)
        except TimeoutError as error:
            raise Refusal(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The request came too slowly ({count} bytes in {_PATIENCE:g} s): send it again, faster.",
            ) from error
        if part is None:
            return
        count += len(part)
        if count > most:
            raise _too_large(most)
        place.take(len(part))
        yield part


def _too_large(most: int) -> Refusal:
    size = f"{most / 1e6:,.0f} MB" if most >= 1_000_000 else f"{most / 1e3:,.0f} kB"
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The request is larger than {size}: send less at once, or save recordings as mp3 or m4a.",
    )


def _base(name: str | None) -> str:
    return (name or "").replace("\\", "/").rpartition("/")[2] or Upload.name
