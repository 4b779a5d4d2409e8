"""Recordings: who speaks when, whether it is somebody, who is nearest, and what a voice is as numbers."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http import HTTPStatus
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response

from speakerid.audio.decode import MAX_BYTES, decode, stream
from speakerid.conversation.conversation import KINDS, Conversation
from speakerid.conversation.formats import decision_row
from speakerid.conversation.hearing import Hearing
from speakerid.identify import Decision, Listener
from speakerid.identify.verification import nearest as nearest_to
from speakerid.identify.verification import verify as compare
from speakerid.rest.deps import SOUND, Operator, TheService
from speakerid.rest.jobs import Job
from speakerid.rest.models import Embedding, Identified, Nearest, Verified
from speakerid.rest.models import Job as JobTold
from speakerid.rest.refusals import Refusal
from speakerid.rest.routes.speakers import person_of
from speakerid.rest.service import Service
from speakerid.rest.uploads import Upload, read_recording, require_sound
from speakerid.rest.workers import stop_if
from speakerid.uploads import MAX_FILE_BYTES

router = APIRouter(prefix="/v1", tags=["recordings"])

JSON = "application/json"
FORMATS: dict[str, Callable[[Conversation], str]] = {
    kind.media.split(";")[0]: kind.write for name, kind in KINDS.items() if name != "json"
}
"""Media type -> the turns of a recording as text."""
MAX_SECONDS = 4 * 3600.0  # of a recording
MAX_WORK_SECONDS = 300.0  # of one request's work; two at once are worked on
MAX_JOB_SECONDS = 4 * 3600.0
_TOO_LONG = (
    "This takes longer than a request may: send the header “Prefer: respond-async”, or cut the recording."
)
_FORM_BYTES = 10_000  # what a form may have beside its file
MAX_SCORES = 1_000_000
"""In the decisions of one answer, which is made in memory: an hour of some 25 people."""


@router.post(
    "/identify",
    responses={
        200: {"model": Identified, "content": {kind: {} for kind in FORMATS}},
        202: {"model": JobTold, "description": "Taken on; poll the address in the header Location"},
    },
    response_class=Response,
    openapi_extra=SOUND,
)
async def identify(
    request: Request,
    service: TheService,
    caller: Operator,
    decisions: bool = False,
    accept: Annotated[str, Header(description=f"{JSON}, or {', '.join(FORMATS)}")] = "*/*",
    prefer: Annotated[str, Header(description="respond-async: do not wait")] = "",
) -> Response:
    """Who speaks when in a recording.

    As RTTM, CSV, SRT, WebVTT or an HTML report where `Accept` says so. With `Prefer: respond-async`, the way
    for what is longer than some minutes, a job is started.
    """
    kind = _wanted(accept)
    later = "respond-async" in prefer.lower()
    (service.jobs.require_room if later else service.heavy.require_place)()
    with service.reading.place() as body:
        upload = await read_recording(request, body, MAX_BYTES + _FORM_BYTES)
        if later:
            job = service.jobs.start(
                caller,
                lambda job: _identify(service, upload, decisions, job.stop, job)[1],
                len(upload.content),
            )
            place = f"{request.scope.get('root_path', '')}/v1/jobs/{job.id}"
            return Response(job.told(), HTTPStatus.ACCEPTED, {"Location": place}, JSON)
        with service.heavy.place() as place:
            return await place.run(lambda stop: _answer(service, upload, decisions, kind, stop), request)


@router.post("/embed", response_model=Embedding, openapi_extra=SOUND)
async def embed(request: Request, service: TheService, _: Operator) -> Response:
    """The voice in a recording as numbers."""
    return await _with_recording(request, service, lambda upload: _embed(service, upload))


@router.post("/verify", response_model=Verified, openapi_extra=SOUND)
async def verify(
    request: Request, service: TheService, _: Operator, name: Annotated[str, Query(min_length=1)]
) -> Response:
    """Whether a recording of one voice is of this person."""
    return await _with_recording(request, service, lambda upload: _verify(service, upload, name))


@router.post("/nearest", response_model=Nearest, openapi_extra=SOUND)
async def nearest(
    request: Request, service: TheService, _: Operator, most: Annotated[int, Query(ge=1, le=1000)] = 5
) -> Response:
    """Who is nearest to the voice in a recording, with scores; it need not be any of them."""
    return await _with_recording(request, service, lambda upload: _nearest(service, upload, most))


async def _with_recording(request: Request, service: Service, work: Callable[[Upload], Response]) -> Response:
    service.heavy.require_place()
    with service.reading.place() as body:
        upload = await read_recording(request, body, MAX_FILE_BYTES + _FORM_BYTES)
        with service.heavy.place() as place:
            return await place.run(lambda _: work(upload), request)


def _wanted(accept: str) -> str:
    """The media type to answer with: the first in Accept that there is."""
    for one in accept.split(","):
        kind = one.split(";")[0].strip().lower()
        if kind in ("", "*/*", "application/*", JSON):
            return JSON
        if kind in FORMATS:
            return kind
        if kind == "text/*":
            return "text/csv"
    raise Refusal(
        HTTPStatus.NOT_ACCEPTABLE, f"Turns come as {JSON}, {', '.join(FORMATS)}: accept one of these."
    )


def _verify(service: Service, upload: Upload, name: str) -> Response:
    require_sound(upload)
    person = person_of(service.gallery, name)
    found = compare(person.name, upload.content, service.gallery, service.encoder)
    return JSONResponse(asdict(found))


def _nearest(service: Service, upload: Upload, most: int) -> Response:
    require_sound(upload)
    people = nearest_to(upload.content, service.gallery, service.encoder)
    rows = [
        {"name": p.name, "probability": p.probability, "log_likelihood_ratio": p.log_likelihood_ratio}
        for p in people[:most]
    ]
    seconds = people[0].seconds if people else 0.0
    model = service.encoder.id
    return JSONResponse(
        {"nearest": rows, "seconds": seconds, "model": model, "calibrated": service.calibrated}
    )


def _answer(
    service: Service, upload: Upload, wants_decisions: bool, kind: str, stop: threading.Event
) -> Response:
    conversation, content = _identify(service, upload, wants_decisions, stop)
    if kind == JSON:
        return JSONResponse(content)  # made here, since writing that much JSON takes a while
    return Response(FORMATS[kind](conversation), media_type=kind)


def _identify(
    service: Service,
    upload: Upload,
    wants_decisions: bool,
    stop: threading.Event,
    job: Job | None = None,
) -> tuple[Conversation, dict[str, Any]]:
    told = require_sound(upload)
    source = stream(upload.content, name=upload.name, max_seconds=MAX_SECONDS)
    until = time.monotonic() + (MAX_JOB_SECONDS if job else MAX_WORK_SECONDS)
    if job:
        job.seconds = round(told, 2) or None
    hearing = Hearing(Listener(service.encoder, service.gallery), first_look=wants_decisions)
    decisions: list[dict[str, Any]] = []
    scores = 0
    for made in _decisions(hearing, iter(source), stop):
        if job:
            job.heard = round(hearing.seconds, 2)
        if time.monotonic() > until:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LONG)
        decisions += [decision_row(decision) for decision in made]
        scores += sum(len(decision.scores) for decision in made)
        if scores > MAX_SCORES:
            raise Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The decisions of this recording hold more than {MAX_SCORES:,} scores: leave out decisions, "
                "or cut the recording into parts.",
            )
    name = PurePath(upload.name).stem  # as the command line calls it in RTTM
    conversation = hearing.conversation(name, source.warnings, lambda _: stop_if(stop))
    content = {**conversation.answer(), **({"decisions": decisions} if wants_decisions else {})}
    return conversation, content


def _decisions(hearing: Hearing, blocks: Iterator, stop: threading.Event) -> Iterator[list[Decision]]:
    """Those that each block brought."""
    for block in blocks:
        stop_if(stop)
        yield hearing.push(block)
    yield hearing.flush()


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
