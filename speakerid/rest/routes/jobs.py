"""Jobs: what became of a recording that was sent with “Prefer: respond-async”."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from speakerid.rest.deps import Operator, TheService
from speakerid.rest.models import Cancelled, Job

router = APIRouter(prefix="/v1/jobs", tags=["recordings"])


@router.get("/{id}", response_model=Job)
async def job(id: str, service: TheService, caller: Operator) -> Response:
    """How far it is, and its result once it is done."""
    return Response(service.jobs.get(id, caller).told(), media_type="application/json")


@router.delete("/{id}", response_model=Cancelled)
async def cancel(id: str, service: TheService, caller: Operator) -> Any:
    """End it and forget its result."""
    service.jobs.cancel(id, caller)
    return {"cancelled": id}
