"""Recordings: who speaks when, /v1/identify, and what a voice is as numbers, /v1/embed."""

import threading
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from speakerid.audio.decode import MAX_BYTES, decode, stream
from speakerid.conversation.formats import decision_row, turn_row
from speakerid.conversation.hearing import Hearing
from speakerid.identify import Decision, Listener
from speakerid.rest.refusals import Refusal
from speakerid.rest.service import Service, service_of
from speakerid.rest.uploads import Upload, read_recording, require_sound
from speakerid.rest.workers import stop_if
from speakerid.uploads import MAX_FILE_BYTES

_FORM_BYTES = 10_000  # what a form may have beside its file
MAX_SCORES = 1_000_000
"""In the decisions of one answer, which is made in memory: an hour of some 25 people."""


async def identify(request: Request) -> Response:
    """POST a recording: the turns in it; with ?decisions=true every decision too."""
    service = service_of(request)
    wanted = request.query_params.get("decisions", "false").lower()
    if wanted not in ("true", "false"):
        raise Refusal(HTTPStatus.BAD_REQUEST, "decisions is neither true nor false: send one of them.")
    with service.heavy.place() as place:
        upload = await read_recording(request, place, MAX_BYTES + _FORM_BYTES)
        return await place.run(lambda stop: _identify(service, upload, wanted == "true", stop), request)


async def embed(request: Request) -> Response:
    """POST a recording: its embedding [192], of unit length."""
    service = service_of(request)
    with service.heavy.place() as place:
        upload = await read_recording(request, place, MAX_FILE_BYTES + _FORM_BYTES)
        return await place.run(lambda stop: _embed(service, upload), request)


def _identify(service: Service, upload: Upload, wants_decisions: bool, stop: threading.Event) -> Response:
    require_sound(upload)
    source = stream(upload.content, name=upload.name)
    hearing = Hearing(Listener(service.encoder, service.gallery))
    decisions: list[dict[str, Any]] = []
    scores = 0
    for decision in _decisions(hearing, iter(source), stop):
        if not wants_decisions:
            continue
        decisions.append(decision_row(decision))
        scores += len(decision.scores)
        if scores > MAX_SCORES:
            raise Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The decisions of this recording hold more than {MAX_SCORES:,} scores: leave out decisions, "
                "or cut the recording into parts.",
            )
    conversation = hearing.conversation(upload.name, source.warnings)
    content = {
        "seconds": round(conversation.seconds, 2),
        "turns": [turn_row(turn) for turn in conversation.turns],
        "model": conversation.model,
        "calibrated": conversation.calibrated,
        "warnings": conversation.warnings,
        **({"decisions": decisions} if wants_decisions else {}),
    }
    return JSONResponse(content)  # made here, since writing that much JSON takes a while


def _decisions(hearing: Hearing, blocks: Iterator, stop: threading.Event) -> Iterator[Decision]:
    for block in blocks:
        stop_if(stop)
        yield from hearing.push(block)
    yield from hearing.flush()


def _embed(service: Service, upload: Upload) -> Response:
    require_sound(upload)
    recording = decode(upload.content, name=upload.name)
    (embedding,) = service.encoder.embed([recording.samples])
    return JSONResponse(
        {
            "embedding": embedding.tolist(),
            "seconds": round(recording.seconds, 2),
            "model": service.encoder.id,
            "warnings": recording.warnings,
        }
    )
