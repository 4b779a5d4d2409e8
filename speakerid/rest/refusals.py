"""What goes wrong, as an answer: a status and {"error": a sentence with its remedy}, never a traceback."""

import logging
import re
import traceback
from collections.abc import Mapping
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from speakerid.errors import AudioError, EnrollmentRefused, GalleryError, ModelError, SpeakerIdError
from speakerid.gallery import Locked, Unavailable

_log = logging.getLogger(__name__)

UNEXPECTED = "Something went wrong that should not; the server's log says more. Try again, or restart it."
_BUSY_SECONDS = "5"


class Refusal(SpeakerIdError):
    """A request that is not carried out.

    Attributes:
        status: of HTTP.
        more: what the answer holds beside the sentence.
        headers: of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        sentence: str,
        more: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(sentence)
        self.status, self.more, self.headers = status, more or {}, headers or {}


def busy(sentence: str) -> Refusal:
    """A refusal that holds for a moment only; the answer says when to try again."""
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, sentence, headers={"Retry-After": _BUSY_SECONDS})


def refusal_of(error: SpeakerIdError) -> Refusal:
    """The refusal that an error of the other rooms comes to."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, EnrollmentRefused):
        more: dict[str, object] = {"reasons": error.reasons}
        if error.belongs_to:
            more["belongs_to"] = error.belongs_to
        is_conflict = error.belongs_to or error.other_voice
        status = HTTPStatus.CONFLICT if is_conflict else HTTPStatus.UNPROCESSABLE_ENTITY
        return Refusal(status, str(error), more)
    if isinstance(error, Locked | Unavailable) or isinstance(error.__cause__, OSError):
        return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    if isinstance(error, GalleryError):
        return Refusal(HTTPStatus.CONFLICT, str(error))
    if isinstance(error, AudioError | ModelError):
        return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))


def answer(error: SpeakerIdError) -> JSONResponse:
    """The answer to a request that is not carried out."""
    refusal = refusal_of(error)
    return JSONResponse({"error": str(refusal), **refusal.more}, refusal.status, dict(refusal.headers))


async def refused(_: Request | WebSocket, error: Exception) -> JSONResponse:
    """Starlette's handler of a SpeakerIdError."""
    assert isinstance(error, SpeakerIdError)
    return answer(error)


async def no_such_route(request: Request | WebSocket, error: Exception) -> JSONResponse:
    """Starlette's handler of its own errors: no such address, or not with this method."""
    assert isinstance(error, HTTPException)
    sentence = "There is nothing at this address: GET / tells what there is."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        sentence = f"{request.scope['method']} is not possible at this address: GET / tells what is."
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return answer(Refusal(HTTPStatus(error.status_code), sentence, headers=headers))


def _methods(request: Request | WebSocket) -> set[str]:
    """What is possible at an address: each method is a route of its own there."""
    found: set[str] = set()
    for route in request.app.openapi()["paths"].items():
        pattern = re.sub(r"\\\{name\\\}", ".*", re.escape(route[0]))
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern)
        if re.fullmatch(pattern, request.url.path.removeprefix(request.scope.get("root_path", ""))):
            found |= {method.upper() for method in route[1]}
    return found


async def not_valid(_: Request | WebSocket, error: Exception) -> JSONResponse:
    """FastAPI's handler of arguments that are none."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    sentence = f"{first['loc'][-1]} cannot be used ({first['msg']}): see /docs."
    return answer(Refusal(HTTPStatus.BAD_REQUEST, sentence))


def unexpected(error: BaseException) -> Refusal:
    """Log an error that should not have happened, and what to say of it.

    Only its kind and the places in the code are logged: its message may hold the name of somebody enrolled.
    """
    lines: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(lines) < 200:
        lines = [*traceback.format_tb(cause.__traceback__), f"{type(cause).__qualname__}\n", *lines]
        cause = cause.__cause__ or cause.__context__
    _log.error("a request failed\n%s", "".join(lines))
    return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, UNEXPECTED)
