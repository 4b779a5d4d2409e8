"""The clients in the documentation of the REST API, run as they are written there."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from support import voices

DOCUMENT = Path(__file__).resolve().parents[2] / "speakerid" / "docs" / "REST.md"


def code(language: str) -> str:
    """The one piece of code in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return found


def test_the_python_client_hears_who_speaks(api, tmp_path):
    sound = np.concatenate([voices.turn("Bruno", 0), np.zeros(voices.RATE // 2, np.float32)])
    voices.write_wav(tmp_path / "talk.wav", sound, rate=48_000)
    script = code("python").replace("localhost:8600", api.host)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    *decisions, last = done.stdout.splitlines()
    assert '"speaker": "Bruno"' in last and '"turns"' in last and len(decisions) > 5


def test_the_browsers_client_hears_who_speaks_into_the_microphone(api, tmp_path):
    from support.chromium import Chromiums, visit

    sound = np.concatenate([voices.turn("Bruno", number) for number in range(4)])
    heard: list[str] = []
    with Chromiums(tmp_path) as chromiums:
        context = visit(chromiums.of(sound, loop=True))
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.goto(f"http://{api.host}/docs")
        page.mouse.click(5, 5)  # a page plays and hears only after somebody used it
        page.evaluate(f"async () => {{ {code('js')} }}")
        for _ in range(300):
            if "Bruno" in heard:
                break
            page.wait_for_timeout(100)
        context.close()
    assert "Bruno" in heard, heard[-20:]
