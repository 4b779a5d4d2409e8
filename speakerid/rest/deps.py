"""What routes ask for in their arguments."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from speakerid.rest.access import Caller
from speakerid.rest.models import Error
from speakerid.rest.service import Service, service_of
from speakerid.roles import Role


def _service(request: Request) -> Service:
    return service_of(request)


def _needs(role: Role) -> Callable[[Request], Caller]:
    def caller(request: Request) -> Caller:
        request.state.caller.require(role)
        return request.state.caller

    return caller


TheService = Annotated[Service, Depends(_service)]
Viewer = Annotated[Caller, Depends(_needs("viewer"))]
Operator = Annotated[Caller, Depends(_needs("operator"))]
Admin = Annotated[Caller, Depends(_needs("admin"))]

REFUSALS = {
    status: {"model": Error}
    for status in (400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 422, 429, 500, 503)
}
SOUND = {
    "requestBody": {
        "required": True,
        "description": "A recording, as the body or as the one file of a form.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}
