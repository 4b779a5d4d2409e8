"""The API itself: what there is, whether it works, how it fares."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from speakerid import __version__
from speakerid.errors import GalleryError
from speakerid.rest.deps import Operator, TheService, Viewer
from speakerid.rest.models import Health
from speakerid.rest.refusals import Refusal

router = APIRouter(tags=["about"])


@router.get("/")
async def index(request: Request, _: Viewer) -> dict[str, Any]:
    """What there is."""
    endpoints = {
        f"{method.upper()} {path}": one["summary"]
        for path, methods in request.app.openapi()["paths"].items()
        for method, one in methods.items()
        if path != "/"
    }
    endpoints["WebSocket /v1/listen"] = "live: send sound, get decisions; “end” ends"
    return {"speakerid": __version__, "docs": "/docs", "endpoints": endpoints}


@router.get("/v1/health", response_model=Health)
async def health(service: TheService, _: Viewer) -> Any:
    """Whether it works, and with what; it answers whatever else is busy."""
    try:
        status, people, calibrated = await service.look()
    except GalleryError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
    return {
        "status": status,
        "version": __version__,
        "model": service.encoder.id,
        "runtime": service.encoder.about_runtime,
        "people": people,
        "calibrated": calibrated,
    }


@router.get("/metrics", responses={200: {"content": {"text/plain": {}}}}, response_class=Response)
async def metrics(service: TheService, _: Operator) -> Response:
    """Counters for Prometheus."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")
