"""An admin's way in a real browser: a file to take along, the passphrase, the next start, the file again."""

import re
from pathlib import Path

from gallery.people import store_people
from playwright.sync_api import Page, expect
from support.app import App

from speakerid.gallery import Gallery
from speakerid.gallery.sealing import MAGIC
from speakerid.model import Encoder

PLENTY = 90_000  # ms; the machine may be busy
SECRET, OF_FILE = "correct horse", "battery staple"
DIALOG = "[data-testid=stDialog]"


def dialog(page: Page, app: App, tab: str):
    """The dialog of all voiceprints at one of its tabs."""
    page.goto(f"{app.url}/Enroll", timeout=PLENTY)
    # The microphone's part draws the page once more when it is there, and a test types faster than people do.
    start = page.frame_locator("iframe[src*=webrtc]").get_by_role("button", name="START")
    start.wait_for(timeout=PLENTY)
    idle(page)
    page.locator(".st-key-everybody-open button").click(timeout=PLENTY)
    opened = page.locator(DIALOG)
    opened.get_by_role("tab", name=tab).click(timeout=PLENTY)
    return opened


def idle(page: Page) -> None:
    """Wait until the page is drawn."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=PLENTY)


def fill(page: Page, key: str, text: str) -> None:
    field = page.locator(f".st-key-{key} input")
    expect(field).to_have_attribute("type", "password", timeout=PLENTY)
    idle(page)
    field.fill(text)
    field.press("Enter")


def unlock(page: Page, passphrase: str) -> None:
    fill(page, "unlock-passphrase", passphrase)  # whose Enter is as good as the button


def test_people_are_exported_encrypted_locked_opened_and_imported(own_app: App, open_browser, tmp_path: Path):
    app = own_app
    app.voiceprints.mkdir(mode=0o700)
    store_people(app.voiceprints, "Ana", "Bo", model=Encoder.load().id)
    page = open_browser()

    dialog(page, app, "Export")
    fill(page, "export-passphrase", OF_FILE)
    fill(page, "export-again", OF_FILE)
    page.locator(".st-key-export-prepare button").click()
    with page.expect_download(timeout=PLENTY) as download:
        page.locator(".st-key-export-download button").click(timeout=PLENTY)
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert re.fullmatch(r"people-\d{4}-\d\d-\d\d\.speakers", file.name)
    assert file.read_bytes().startswith(MAGIC) and b"Ana" not in file.read_bytes()

    opened = dialog(page, app, "Passphrase")
    fill(page, "passphrase-new-0", SECRET)
    fill(page, "passphrase-again-0", SECRET)
    opened.locator(".st-key-passphrase-sure-0 label").click()
    opened.locator(".st-key-passphrase-change button").click()
    expect(opened).to_contain_text("Everything is encrypted now", timeout=PLENTY)
    assert not any(b"Ana" in path.read_bytes() for path in app.voiceprints.iterdir())

    app.stop()
    app.start()  # without the variable SPEAKERID_PASSPHRASE
    page.goto(f"{app.url}/Live", timeout=PLENTY)
    expect(page.locator(".st-key-card-unlock")).to_contain_text("are locked", timeout=PLENTY)
    unlock(page, "something else")
    expect(page.locator(".st-key-card-unlock")).to_contain_text("does not open", timeout=PLENTY)
    unlock(page, SECRET)
    expect(page.locator(".st-key-live-bar")).to_be_visible(timeout=PLENTY)
    with page.context.new_page() as other:  # a session of its own, as another visitor's
        other.goto(f"{app.url}/Enroll", timeout=PLENTY)
        expect(other.locator(".st-key-card-people")).to_contain_text("Ana", timeout=PLENTY)

    Gallery.open(app.voiceprints, SECRET).remove("Bo")
    opened = dialog(page, app, "Import")
    opened.locator(".st-key-import-file input[type=file]").set_input_files(file)
    fill(page, "import-passphrase-0", OF_FILE)
    expect(opened).to_contain_text("2 people in the file: Ana, Bo", timeout=PLENTY)
    opened.locator(".st-key-import-start button").click()
    expect(opened).to_contain_text("Choose what becomes of Ana", timeout=PLENTY)
    opened.locator(".st-key-import-same-0-0 input").click()
    page.get_by_role("option", name="Keep both, as “Ana 2”").click()
    opened.locator(".st-key-import-start button").click()
    expect(opened.locator(".st-key-import-result")).to_contain_text("2 people imported", timeout=PLENTY)
    people = [person.name for person in Gallery.open(app.voiceprints, SECRET).speakers()]
    assert people == ["Ana", "Ana 2", "Bo"]
