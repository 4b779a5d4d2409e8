"""What pages in the browser fetch besides Streamlit's own: the modules of the Live board, and Plotly.

Their addresses carry a digest or a version, so that a browser may keep them for good.
"""

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

_PREFIX = "/api/live-assets"
_OF_STREAMLIT = ("loader.js", "press_start.js")
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def board_modules() -> dict[str, str]:
    """The board's JavaScript modules by file name; what Streamlit itself is given (`loader.js`) is none."""
    folder = files("speakerid.dashboard").joinpath("live", "component")
    names = (
        one.name for one in folder.iterdir() if one.name.endswith(".js") and one.name not in _OF_STREAMLIT
    )
    return {name: folder.joinpath(name).read_text("utf-8") for name in sorted(names)}


_DIGEST = hashlib.sha256("\n".join(board_modules().values()).encode()).hexdigest()[:12]
BOARD_URL = f"{_PREFIX}/board-{_DIGEST}/board.js"
PLOTLY_URL = f"{_PREFIX}/plotly-{version('plotly')}.min.js"


async def _board_module(request: Request) -> Response:
    text = board_modules().get(request.path_params["name"])
    if text is None:
        return JSONResponse({"error": "there is no such module; reload the page"}, status_code=404)
    return Response(text, media_type="text/javascript", headers=_FOR_GOOD)


async def _plotly_file(_request: Request) -> Response:
    path = str(files("plotly").joinpath("package_data/plotly.min.js"))
    return FileResponse(path, media_type="text/javascript", headers=_FOR_GOOD)


routes = [Route(f"{_PREFIX}/board-{_DIGEST}/{{name}}", _board_module), Route(PLOTLY_URL, _plotly_file)]
