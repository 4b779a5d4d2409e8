"""The Live page for the audience, for the keyboard, for a screen reader, and on small screens."""

import json
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from support.app import App
from support.chromium import box

PLENTY = 120_000  # ms; the machine may be busy
BOARD = "document.querySelector('.live-board')?.board"
STAGE = ".live-board.live-stage"
SURE = f"() => {BOARD}?.hello?.now.kind === 'person' && {BOARD}.hello.now.firm === 1 && {BOARD}.rows.length"
WIDTHS = (390, 1280, 1920)
NAMES = ("Al", "Maximiliane Wolkenstein-Hohenfels the Younger", "Donaudampfschifffahrtskapitän" * 2)

# What Python sends when it hears that person; the real updates come again a moment later.
_SAY = """
(name) => {
  const { board } = document.querySelector(".live-board");
  const now = { ...board.hello.now, kind: "person", name, color: "#4890E4", firm: 1 };
  board.take({ kind: "update", now });
}
"""


@pytest.fixture
def live(app: App, open_browser) -> Page:
    """The demo, playing; names come."""
    page = open_browser()
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{app.url}/Live", timeout=PLENTY)
    page.locator(".st-key-live-see-demo button").click(timeout=PLENTY)
    page.wait_for_function(SURE, timeout=PLENTY)
    return page


def test_one_click_on_the_name_corrects_the_turn_everywhere_and_can_be_taken_back(app: App, live: Page):
    name = live.locator(".st-key-now-speaking .live-name")
    live.wait_for_function(SURE, timeout=PLENTY)
    said, start = live.evaluate(
        f"() => {{ const b = {BOARD}; const said = b.hello.now.name;"
        " document.querySelector('.live-name').click();"
        " return [said, b.rows.findLast((row) => row.name === said).start]; }"
    )
    row = f"(start) => {BOARD}.rows.find((one) => one.start === start)"
    live.wait_for_function(f"(start) => ({row})(start)?.name === 'unknown'", arg=start, timeout=PLENTY)
    assert live.evaluate(row, start)["heard"] == f"heard as {said}"
    token = live.evaluate(f"() => {BOARD}.token")
    with urllib.request.urlopen(f"{app.url}/api/live/{token}/log.json", timeout=30) as answer:
        stored = [one for one in json.load(answer) if abs(one["start"] - start / 1000) < 0.01]
    assert [(one["speaker"], one["named"]) for one in stored] == [("unknown", said)]
    wrong = live.locator(".live-wrong")
    expect(wrong).to_contain_text(f"Not {said}. Who was it?")
    expect(wrong).to_contain_text("Nothing is learned from it")
    wrong.get_by_role("button", name="Undo").click()
    live.wait_for_function(f"(start) => ({row})(start)?.heard === ''", arg=start, timeout=PLENTY)
    expect(wrong).to_be_hidden()
    expect(name).to_be_visible()


def test_presenting_shows_the_name_in_its_color_and_bars_and_obeys_the_keyboard(live: Page):
    live.locator("body").press("p")
    expect(live.locator(STAGE)).to_be_visible()
    assert no_ring(live)
    for technical in (".live-now footer", ".live-space", ".live-rolling", ".live-explain", ".live-log"):
        expect(live.locator(technical)).to_be_hidden()
    expect(live.locator(".st-key-confidence-bars .barlayer .point").first).to_be_attached()
    # What waits for Python is pale elsewhere; here the page would shine through, as at the demo's start.
    pale = live.evaluate(
        "() => { const around = document.querySelector('.live-board').closest('[data-stale]');"
        " around.setAttribute('data-stale', 'true'); return getComputedStyle(around).opacity; }"
    )
    assert pale == "1"
    live.wait_for_function(SURE, timeout=PLENTY)
    wanted, drawn = live.evaluate(
        f"() => {{ const probe = document.createElement('i'); probe.style.color = {BOARD}.hello.now.color;"
        " document.body.append(probe); const wanted = getComputedStyle(probe).color; probe.remove();"
        " return [wanted, getComputedStyle(document.querySelector('.live-name')).color]; }"
    )
    assert wanted == drawn
    expect(live.locator(".live-detail")).not_to_contain_text("heard")
    live.keyboard.press("f")
    live.wait_for_function("() => document.fullscreenElement", timeout=PLENTY)
    live.keyboard.press("f")
    live.wait_for_function("() => !document.fullscreenElement", timeout=PLENTY)
    expect(live.locator(STAGE)).to_be_visible()

    live.keyboard.press("Space")
    live.wait_for_function(f"() => {BOARD}.hello.status.kind === 'ended'", timeout=PLENTY)
    expect(live.locator(".live-go")).to_have_text("Start")
    expect(live.locator(".live-go")).to_be_visible()  # though nobody moves the pointer
    live.locator(".live-go").click()
    live.wait_for_function(f"() => {BOARD}.listening", timeout=PLENTY)
    expect(live.locator(STAGE)).to_be_visible()

    for width in WIDTHS:
        live.set_viewport_size({"width": width, "height": 780})
        live.wait_for_timeout(300)
        for name in NAMES:
            live.evaluate(_SAY, name)
            # A glyph is higher than its line; a line too many would be half as much again.
            text = live.evaluate(
                "() => { const n = document.querySelector('.live-name');"
                " return [n.scrollWidth <= n.clientWidth + 1, n.scrollHeight <= 1.13 * n.clientHeight]; }"
            )
            assert text == [True, True], (width, name)
        card, bars = box(live, ".live-now"), box(live, ".live-bars")
        assert card["width"] > 0.9 * width and bars["bottom"] <= 781 and card["bottom"] <= bars["top"]
    live.keyboard.press("Escape")
    expect(live.locator(STAGE)).to_have_count(0)
    assert no_ring(live)
    present = live.locator(".live-stage-toggle")
    expect(present).to_be_focused()
    ring = "(button) => getComputedStyle(button).outlineStyle"
    assert present.evaluate(ring) != "none"  # Escape is a key
    present.click()
    expect(live.locator(STAGE)).to_be_visible()
    present.evaluate("(button) => button.click()")  # it hides while the pointer rests
    expect(live.locator(STAGE)).to_have_count(0)
    expect(present).to_be_focused()
    assert no_ring(live)


def no_ring(page: Page) -> bool:
    """Whether nothing is drawn around the whole board, as where the focus is."""
    return (
        page.evaluate("() => getComputedStyle(document.querySelector('.live-board')).outlineStyle") == "none"
    )


def test_the_page_keeps_still_whatever_name_comes_and_nothing_is_cut(live: Page):
    for width in WIDTHS:
        live.set_viewport_size({"width": width, "height": 900})
        live.wait_for_timeout(500)
        seen = set()
        for name in (
            "Al",
            "Maximiliane Wolkenstein-Hohenfels the Younger",
            "Donaudampfschifffahrtskapitän" * 2,
        ):
            live.evaluate(_SAY, name)
            card, below = box(live, ".live-now"), box(live, ".live-rolling")
            seen.add((round(card["height"]), round(below["top"] - card["top"])))
        assert len(seen) == 1, (width, seen)
        for line in (".live-signal-text", ".live-latency"):
            said = f"document.querySelector('{line}')"
            assert not live.evaluate(f"() => {said}.scrollWidth > {said}.clientWidth + 1"), (width, line)
        log, listed = box(live, ".live-log"), box(live, ".st-key-event-log")
        assert log["bottom"] - listed["bottom"] < 20, "the list fills its card"

    live.set_viewport_size({"width": 1280, "height": 720})
    live.locator(".st-key-live-controls button").first.click()
    body = live.locator("[data-testid=stPopoverBody]")
    expect(body).to_be_visible()
    live.wait_for_timeout(500)
    assert box(live, "[data-testid=stPopoverBody]")["bottom"] <= 720
    live.locator("[data-testid=stPopoverBody] [class*=st-key-live-gender]").scroll_into_view_if_needed()
    assert box(live, "[class*=st-key-live-gender]")["bottom"] <= 720


def test_a_narrow_window_keeps_the_names_in_the_last_minute(live: Page):
    live.set_viewport_size({"width": 390, "height": 844})
    live.wait_for_timeout(500)
    names = live.evaluate(
        f"""() => {{
          const b = {BOARD};
          const points = Array.from({{ length: 300 }}, (_, at) => at);  // Alice and Bruno, 12 s each
          const turn = (at) => Math.floor(at / 60) % 2;
          b.state.scores = b.hello.people.map((_, k) => points.map((at) => (turn(at) === k ? 0.9 : 0)));
          return b.charts.rollingNames(points.map((at) => (at - 299) / 5)).text;
        }}"""
    )
    assert len(names) == 5 and all(name.startswith(("Al", "Br")) for name in names), names


def test_a_name_in_space_lies_on_nobody_elses_cluster(live: Page):
    live.set_viewport_size({"width": 1280, "height": 900})
    live.wait_for_function(f"() => {BOARD}.space.shownNames", timeout=PLENTY)
    covered = live.evaluate(
        f"""() => {{
          const b = {BOARD}, wrong = [];
          const dots = [...document.querySelectorAll('.st-key-embedding-space .scatterlayer .trace')]
            .map((trace) => [...trace.querySelectorAll('.points path')])
            .map((own) => own.map((dot) => dot.getBoundingClientRect()));
          const texts = [...document.querySelectorAll('.st-key-embedding-space .textpoint text')];
          b.hello.people.slice(0, -1).forEach(({{ name }}, k) => {{
            const text = texts.find((one) => one.textContent === name)?.getBoundingClientRect();
            if (!text) return;
            dots.slice(0, b.hello.people.length - 1).forEach((own, j) => {{
              if (j !== k && own.some((dot) => {{
                const x = (dot.left + dot.right) / 2, y = (dot.top + dot.bottom) / 2;
                return x > text.left && x < text.right && y > text.top && y < text.bottom;
              }})) wrong.push([name, b.hello.people[j].name]);
            }});
          }});
          return [texts.length, wrong];
        }}"""
    )
    assert covered[0] >= 3 and covered[1] == []


def test_a_screen_reader_hears_names_alone_and_finds_everything(live: Page):
    regions = live.evaluate(
        "() => [...document.querySelectorAll('.live-board :is([aria-live], [role=status], [role=alert])')]"
        ".map((one) => one.className)"
    )
    assert regions == ["live-said live-hidden"]
    live.wait_for_function(
        f"() => {{ const said = document.querySelector('.live-said').textContent;"
        f" return {BOARD}.hello.people.some(({{ name }}) => name === said); }}",
        timeout=PLENTY,
    )
    live.wait_for_function(
        "() => [...document.querySelectorAll('.live-board [data-text]')].every((one) => one.textContent)",
        timeout=PLENTY,
    )
    expect(live.locator("h1")).to_have_count(1)
    for scheme in ("light", "dark"):
        live.emulate_media(color_scheme=scheme)
        live.wait_for_timeout(1500)
        found = Axe().run(live, context=".live-board").response["violations"]
        serious = [
            (one["id"], [node["html"][:200] for node in one["nodes"]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], scheme
