"""Run as a process of its own where FOLDER is a file system of its own: at every door once nobody may write.

python read_only.py FOLDER
"""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from http import HTTPStatus
from pathlib import Path

import pytest
from dashboard.pages import open_page, said
from people import voiceprint

from speakerid.cli import main
from speakerid.errors import GalleryError
from speakerid.gallery import Gallery
from speakerid.gallery.opening import open_store
from speakerid.rest.refusals import refusal_of


def command(*arguments: str) -> tuple[int, str, str]:
    """Status, output and errors of a command."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([*arguments])
    return status, out.getvalue(), err.getvalue()


def look(folder: Path) -> None:
    place = folder / "voiceprints"
    store = open_store(place)
    store.put(voiceprint("Anna"))
    store.close()  # nobody may write while the disk becomes read-only
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    told = []
    for do, names in (("speakers", ()), ("rename", ("Anna", "Ada")), ("remove", ("Anna",))):
        with pytest.raises(GalleryError, match="check its permissions") as caught:
            getattr(Gallery.open(place, ""), do)(*names)
        assert refusal_of(caught.value).status == HTTPStatus.SERVICE_UNAVAILABLE
        told.append(str(caught.value))
        status, _, err = command(do, *names, "--voiceprints", str(place))
        (line,) = err.splitlines()
        assert status == 1 and line.startswith("speakerid: ") and "check its permissions" in line
    with pytest.MonkeyPatch.context() as patch:
        assert told[0][:60] in said(open_page("1_Enroll.py", place, patch))
    print("told at every door")


if __name__ == "__main__":
    look(Path(sys.argv[1]))
