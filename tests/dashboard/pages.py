"""The app's pages under AppTest, with a gallery of their own and a stand-in for the WebRTC session."""

import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from support import voices

from speakerid.audio.format import RATE

ROOT = Path(__file__).resolve().parents[2]


def open_page(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app at a page ("" for home), with its voiceprints in `folder`."""
    monkeypatch.setenv("SPEAKERID_VOICEPRINTS", str(folder))
    monkeypatch.chdir(ROOT)
    # AppTest's runtime has no session for streamlit-webrtc to attach its clean-up to.
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    return app.switch_page(f"pages/{page}").run() if page else app


def said(app: AppTest) -> str:
    """Everything the page says, HTML included, as one text."""
    assert not app.exception, app.exception
    elements = (*app.html, *app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.subheader)
    return plain("\n".join(str(getattr(element, "value", "") or element.proto.body) for element in elements))


def plain(markdown: str) -> str:
    """Text as the browser shows it: without what keeps names from being read as Markdown."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", markdown)


def recording(name: str, folder: Path, seconds: float | None = None) -> bytes:
    """A person's enrollment recording as the bytes of a WAV file."""
    samples = np.concatenate(voices.enrollment(name))
    if seconds is not None:
        samples = samples[: round(seconds * RATE)]
    return voices.write_wav(folder / f"{name}.wav", samples).read_bytes()
