"""Pictures of the app for its documentation, taken while the demo plays.

    python -m tests.browser.pictures OUT [live] [space] [recordings]     OUT: speakerid/dashboard/pictures

Writes WebP files of the Live page, its presentation view, the embedding space in 3-D and the Recordings page,
in light and dark, at 1280×720 and 1920×1080. Needs Chromium, as the tests do.
"""

import io
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import voices
from support.app import App
from support.chromium import chromium

SIZES = ((1280, 720), (1920, 1080))
SCHEMES = ("light", "dark")
SETTLE = 2500  # ms after another size or scheme
PLENTY = 120_000
BOARD = "document.querySelector('.live-board')?.board"


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    out, parts = Path(sys.argv[1]), sys.argv[2:] or ["live", "space", "recordings"]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        app = stack.enter_context(App(folder))
        if "recordings" in parts:
            voices.enroll_four(app.voiceprints)
        page = stack.enter_context(chromium()).pages[0]
        page.set_default_timeout(PLENTY)
        if "live" in parts or "space" in parts:
            start_demo(page, app)
        if "live" in parts:
            live(page, out)
        if "space" in parts:
            space(page, out)
        if "recordings" in parts:
            recordings(page, app, folder, out)


def start_demo(page: Page, app: App) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{app.url}/Live")
    see = page.locator(".st-key-live-see-demo button")
    page.locator(".live-board, .st-key-live-see-demo button").first.wait_for()
    if see.count():
        see.click()  # it begins at once
    else:
        page.get_by_text("Demo", exact=True).click()
        page.locator(".st-key-live-start button").click()
    page.wait_for_function(f"() => {BOARD}?.rows.some((row) => row.name === 'unknown')")


def live(page: Page, out: Path) -> None:
    for width, height in SIZES:
        for scheme in SCHEMES:
            look(page, width, height, scheme)
            speaking(page)
            shoot(page, out / f"live-{width}x{height}-{scheme}.webp")
            page.locator(".live-stage-toggle").click()
            page.wait_for_timeout(SETTLE)
            page.locator(".live-stage-toggle").wait_for(state="hidden")
            speaking(page)
            shoot(page, out / f"presentation-{width}x{height}-{scheme}.webp")
            page.keyboard.press("Escape")


def space(page: Page, out: Path) -> None:
    look(page, 1280, 720, "light")
    page.locator(".live-3d").click()
    for scheme in SCHEMES:
        look(page, 1280, 720, scheme)
        speaking(page)
        shoot(page, out / f"space-{scheme}.webp", ".live-space")


def recordings(page: Page, app: App, folder: Path, out: Path) -> None:
    samples, _ = voices.conversation(["Alice", "Edgar", "Bruno", "Daisy", "Edgar", "Callum"])
    page.goto(f"{app.url}/Recordings")
    upload = page.locator(".st-key-recording-file input[type=file]")
    upload.set_input_files(str(voices.write_wav(folder / "Team meeting.wav", samples)))
    page.locator(".st-key-recording-start button").click()
    page.locator(".st-key-recording-timeline .js-plotly-plot").wait_for()
    page.wait_for_timeout(SETTLE)
    for width, height in SIZES:
        for scheme in SCHEMES:
            look(page, width, height, scheme)
            page.locator(".st-key-card-timeline").evaluate(
                "(card) => card.scrollIntoView({ block: 'start' })"
            )
            page.wait_for_timeout(500)
            shoot(page, out / f"recordings-{width}x{height}-{scheme}.webp")


def look(page: Page, width: int, height: int, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(SETTLE)


def speaking(page: Page) -> None:
    """Wait for somebody to be named surely; the demo may have to start again for that."""
    sure = f"() => {BOARD}.hello.now.kind === 'person' && Math.max(...{BOARD}.hello.bars.p) > 0.9"
    if page.evaluate(f"() => {BOARD}.hello.status.kind") == "ended":
        page.locator(".st-key-live-start button").evaluate("(button) => button.click()")
    page.wait_for_function(sure)
    page.wait_for_timeout(500)


def shoot(page: Page, path: Path, part: str = "") -> None:
    taken = page.locator(part).screenshot() if part else page.screenshot()
    Image.open(io.BytesIO(taken)).convert("RGB").save(path, "WEBP", quality=82, method=6)
    print(f"{path} {path.stat().st_size // 1024} kB", flush=True)


if __name__ == "__main__":
    main()
