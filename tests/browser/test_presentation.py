"""The presentation view: nothing but what the room is to see, and a way out of it."""

from playwright.sync_api import Page, expect
from support.app import App

PLENTY = 120_000  # ms; the machine may be busy
STAGE = ".live-board.live-stage"

# What a person could press, of all that is on the screen at points 20 px apart.
_CONTROLS = """
() => {
  const seen = new Set();
  for (let x = 5; x < innerWidth; x += 20) for (let y = 5; y < innerHeight; y += 20) {
    seen.add(document.elementFromPoint(x, y)?.closest("button, a, input, select, iframe, [role=button]"));
  }
  return [...seen].filter(Boolean).map((control) => control.outerHTML);
}
"""


def controls(page: Page) -> list[str]:
    return page.evaluate(_CONTROLS)


def controls_show_what_holds(page: Page) -> None:
    """The defaults when they are opened, what is chosen then, and the defaults again."""
    page.locator(".st-key-live-controls button").first.click()
    values = page.locator(".stSlider [role=group]")
    shown = ["52%", "10%", "5%", "1.0 s", "0.4 s", "3.0 s"]
    expect(values).to_contain_text(shown)
    values.first.locator("input").press("ArrowRight")
    expect(values).to_contain_text(["53%", *shown[1:]])
    page.locator(".st-key-live-defaults button").click()
    expect(values).to_contain_text(shown)
    page.locator(".st-key-live-controls button").first.click()


def test_the_presentation_view_hides_every_control_and_can_be_left(app: App, open_browser):
    page: Page = open_browser()
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{app.url}/Live", timeout=PLENTY)
    page.locator(".st-key-live-see-demo button").click(timeout=PLENTY)
    mute, toggle = page.locator(".live-mute"), page.locator(".live-stage-toggle")
    expect(mute).to_be_visible(timeout=PLENTY)  # it plays
    controls_show_what_holds(page)
    assert len(controls(page)) > 5
    toggle.click()
    expect(page.locator(STAGE)).to_be_visible()
    expect(toggle).to_be_hidden(timeout=PLENTY)
    expect(mute).to_be_hidden()
    page.wait_for_function(f"() => ({_CONTROLS})().length === 0", timeout=PLENTY)
    expect(page.locator(".st-key-now-speaking .live-name")).to_be_visible()

    page.mouse.move(600, 300)
    expect(toggle).to_have_text("Leave")
    expect(toggle).to_be_visible()
    expect(mute).to_be_visible()
    expect(toggle).to_be_hidden(timeout=PLENTY)
    page.mouse.move(610, 310)
    toggle.click()
    expect(page.locator(STAGE)).to_have_count(0)
    expect(toggle).to_have_text("Present")
    expect(mute).to_be_visible()

    toggle.click()
    expect(page.locator(STAGE)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(STAGE)).to_have_count(0)
