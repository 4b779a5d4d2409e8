"""Who is enrolled: /v1/speakers."""

import threading
from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request

from speakerid.audio.decode import decode
from speakerid.errors import GalleryError
from speakerid.gallery import Consent, EnrollmentReport, Gallery, Voiceprint, acting_as, clean_name
from speakerid.gallery.kept_recording import require_length
from speakerid.gallery.listing import people_of
from speakerid.rest.access import Caller
from speakerid.rest.deps import Admin, Operator, TheService
from speakerid.rest.models import Enrolled, NewName, People, Person, Removed, Renamed
from speakerid.rest.refusals import Refusal
from speakerid.rest.service import Service
from speakerid.rest.uploads import Upload, is_form, read_form, read_json, require_sound
from speakerid.rest.workers import stop_if
from speakerid.uploads import MAX_BYTES_AT_ONCE, too_much

router = APIRouter(prefix="/v1/speakers", tags=["people"])

_FORM_BYTES = 1_000_000  # what a form may have beside its files
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "consent"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "consent": {"type": "string", "enum": ["true"]},
                        "keep_recordings": {"type": "string", "enum": ["true", "false"]},
                        "distinct_from": {"type": "string", "description": "names, one a line"},
                    },
                }
            }
        },
    }
}
_NEW_NAME = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": NewName.model_json_schema()}},
    }
}


@router.get("", response_model=People)
async def speakers(service: TheService, _: Operator) -> Any:
    """Everybody, and which files of the folder are damaged."""

    def look(_: threading.Event) -> dict[str, Any]:
        damaged = [{"file": one.file, "reason": one.reason} for one in service.gallery.damaged]
        return {"speakers": people_of(service.gallery), "damaged": damaged}

    return await service.quick.run(look)


@router.get("/{name:path}", response_model=Person)
async def speaker(request: Request, service: TheService, _: Operator, name: str) -> Any:
    """One person."""
    name = _name(request)

    def look(_: threading.Event) -> dict[str, Any]:
        found = person_of(service.gallery, name).name
        return next(row for row in people_of(service.gallery) if row["name"] == found)

    return await service.quick.run(look)


@router.post("/{name:path}", response_model=Enrolled, openapi_extra=_FORM)
async def enroll(request: Request, service: TheService, caller: Operator, name: str) -> Any:
    """Store a person's voice, or add to it, from a form with the files and consent=true."""
    name = _usable(_name(request))
    if not is_form(request):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Recordings are enrolled from a form: send multipart/form-data with the files and consent=true.",
        )
    service.heavy.require_place()
    with service.reading.place() as body:
        files, fields = await read_form(request, body, MAX_BYTES_AT_ONCE + _FORM_BYTES)
        consent = _consent(fields)
        if why := too_much([len(file.content) for file in files]):
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)
        with service.heavy.place() as place:
            report = await place.run(
                lambda stop: _enroll(service, caller, name, files, consent, fields, stop), request
            )
    return asdict(report)


@router.patch("/{name:path}", response_model=Renamed, openapi_extra=_NEW_NAME)
async def rename(request: Request, service: TheService, caller: Operator, name: str) -> Any:
    """Give a person another name."""
    name = _name(request)
    with service.reading.place() as body:
        new = (await read_json(request, body)).get("name")
        if not isinstance(new, str):
            raise Refusal(HTTPStatus.BAD_REQUEST, 'The new name is missing: send {"name": "…"}.')
        new = _usable(new)

        def change(_: threading.Event) -> dict[str, str]:
            old = person_of(service.gallery, name).name
            with acting_as(caller.name):
                service.gallery.rename(old, new)
            return {"old": old, "new": new}

        return await service.quick.run(change)


@router.delete("/{name:path}", response_model=Removed)
async def remove(request: Request, service: TheService, caller: Admin, name: str) -> Any:
    """Delete everything stored of a person."""
    name = _name(request)

    def change(_: threading.Event) -> dict[str, str]:
        removed = person_of(service.gallery, name).name
        with acting_as(caller.name):
            service.gallery.remove(removed)
        return {"removed": removed}

    return await service.quick.run(change)


def _enroll(
    service: Service,
    caller: Caller,
    name: str,
    files: list[Upload],
    consent: Consent,
    fields: dict[str, str],
    stop: threading.Event,
) -> EnrollmentReport:
    recordings = []
    for file in files:
        stop_if(stop)
        require_sound(file)
        recordings.append(decode(file.content, name=file.name))
        require_length(sum(one.seconds for one in recordings))
    stop_if(stop)
    with acting_as(caller.name):
        report = service.gallery.enroll(
            name,
            [one.samples for one in recordings],
            service.encoder,
            consent=consent,
            sources=[one.name for one in recordings],
            keep_recordings=_keeps(fields),
            gains_db=[one.gain_db for one in recordings],
            distinct_from=[one for one in fields.get("distinct_from", "").splitlines() if one.strip()],
        )
    warnings = [warning for one in recordings for warning in one.warnings]
    return replace(report, warnings=warnings + report.warnings)


def _keeps(fields: dict[str, str]) -> bool:
    return _truth(fields, "keep_recordings")


def _consent(fields: dict[str, str]) -> Consent:
    """What the form says of consent."""
    if not _truth(fields, "consent"):
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "Consent is missing: ask the person whether they agree to be recognized by their voice, and send "
            "the field consent=true if they do.",
        )
    return Consent.given("api", keep_recordings=_keeps(fields))


def _truth(fields: dict[str, str], name: str) -> bool:
    """A field that is true or false, which it is where it is missing."""
    value = fields.get(name, "false").strip().lower()
    if value not in ("true", "false"):
        raise Refusal(
            HTTPStatus.BAD_REQUEST, f"The field {name} is neither true nor false: send one of them."
        )
    return value == "true"


def _name(request: Request) -> str:
    name = request.path_params["name"]
    if "\ufffd" in name:  # what the server puts in the place of bytes that it cannot decode
        raise Refusal(HTTPStatus.BAD_REQUEST, "The name in the address is not UTF-8: encode it so.")
    return name


def _usable(name: str) -> str:
    try:
        return clean_name(name)
    except GalleryError as error:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error


def person_of(gallery: Gallery, name: str) -> Voiceprint:
    """The person of that name; raises Refusal, 404, where there is none."""
    gallery.speakers()  # what is wrong with the folder is told by this, so the next line's is the name
    try:
        return gallery.get(name)
    except GalleryError as error:
        raise Refusal(HTTPStatus.NOT_FOUND, str(error)) from error
