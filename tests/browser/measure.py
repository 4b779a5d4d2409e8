"""How the Live page holds up: memory, smoothness, and what drawing for one viewer costs the server.

    python -m tests.browser.measure [--minutes 5] [--drawing-seconds 60]

Prints one JSON object. The browser renders in software and listens to a conversation that starts over, on the
real engine, so a busy machine shows in every figure of it; the share of a core that drawing takes is measured
before, without a model. Needs Chromium, as the tests do.

    frames_a_second, frames_without_bars    animation frames, and those in which a bar was missing
    tasks_over_100_ms_a_minute, longest_task_ms    what held the browser up
    heap_mb_a_minute                        growth of the page's memory, by a straight line
    server_drawing_share_of_a_core          processor time of the messages to one viewer
    latency_ms_median, latency_ms_p95       from the app having the sound to the screen; the median over the
                                            run of what the page says, each over half a minute of speech
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import voices
from support.app import App
from support.chromium import chromium, microphone_file, press_start

HEAP_EVERY = 15  # s
SETTLING = 75.0  # s until the minute that the rolling chart shows is full
UPDATES = 10  # a second

_LATENCY = "document.querySelector('.live-board').board.hello.latency"

# Counts animation frames, frames without a bar, and tasks over 50 ms.
_WATCH = """
() => {
  window.seen = { frames: 0, bare: 0, tasks: [], began: performance.now() };
  new PerformanceObserver((list) => window.seen.tasks.push(...list.getEntries().map((task) => task.duration)))
    .observe({ entryTypes: ["longtask"] });
  const frame = () => {
    const { board } = document.querySelector(".live-board") ?? {};
    window.seen.frames++;
    const drawn = document.querySelectorAll(".st-key-confidence-bars .barlayer .point").length;
    if (!board || drawn < board.hello.bars.p.length) window.seen.bare++;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""

_VIEWER = """
import sys
from websockets.sync.client import connect
with connect(sys.argv[1], origin=sys.argv[2]) as socket:
    for _ in socket:
        pass
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="in the browser")
    parser.add_argument("--drawing-seconds", type=float, default=60.0)
    asked = parser.parse_args()
    figures = drawing(asked.drawing_seconds)
    figures |= in_the_browser(asked.minutes)
    print(json.dumps(figures))


def in_the_browser(minutes: float) -> dict:
    """What a Chromium on the Live page shows while it listens for so long."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        app = stack.enter_context(App(folder))
        voices.enroll_four(app.voiceprints)
        samples, _ = voices.conversation([*voices.PEOPLE, *voices.PEOPLE])
        sound = microphone_file(folder / "sound.wav", samples)
        context = stack.enter_context(chromium(microphone=sound, loop=True))
        page = context.pages[0]
        page.set_default_timeout(180_000)
        page.goto(f"{app.url}/Live")
        page.wait_for_function("() => document.querySelector('.live-board')?.board?.charts.built")
        press_start(page)
        page.wait_for_function("() => document.querySelector('.live-board').board.rows.length > 0")
        page.evaluate(_WATCH)
        devtools = context.new_cdp_session(page)
        heaps, latencies = [], []
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            page.wait_for_timeout(1000 * min(HEAP_EVERY, max(1.0, end - time.monotonic())))
            devtools.send("HeapProfiler.collectGarbage")
            latencies.append(page.evaluate(f"() => [{_LATENCY}.median, {_LATENCY}.slow]"))
            heaps.append((time.monotonic(), devtools.send("Runtime.getHeapUsage")["usedSize"] / 2**20))
        seen = page.evaluate(
            "() => ({ ...window.seen, lasted: (performance.now() - window.seen.began) / 1000 })"
        )
        signal = page.locator(".live-signal-text").inner_text()
    settled = [one for one in heaps if one[0] - heaps[0][0] > SETTLING]
    at, heap = np.array(settled if len(settled) > 2 else heaps[1:] or heaps).T
    slope = float(np.polyfit(at - at[0], heap, 1)[0]) * 60 if len(at) > 2 else None
    median, slow = np.median([pair for pair in latencies if pair[0] is not None], axis=0)
    over = [task for task in seen["tasks"] if task > 100]
    return {
        "minutes": round(seen["lasted"] / 60, 2),
        "heap_mb_first": round(float(heap[0]), 2),
        "heap_mb_last": round(float(heap[-1]), 2),
        "heap_mb_a_minute": None if slope is None else round(slope, 3),
        "heap_mb_more_after_30_minutes": None if slope is None else round(30 * slope, 1),
        "frames_a_second": round(seen["frames"] / seen["lasted"], 1),
        "frames_without_bars": seen["bare"],
        "tasks_over_100_ms_a_minute": round(60 * len(over) / seen["lasted"], 1),
        "longest_task_ms": round(max(seen["tasks"], default=0.0)),
        "signal": signal,
        "latency_ms_median": round(float(median)),
        "latency_ms_p95": round(float(slow)),
    }


def drawing(seconds: float) -> dict:
    """Share of a core that messages to one viewer cost: board, JSON, WebSocket; no model, no audio."""
    import asyncio
    from dataclasses import replace

    import uvicorn
    from starlette.applications import Starlette

    from speakerid.dashboard.live.board.board import Board
    from speakerid.dashboard.live.publisher import Publisher
    from speakerid.dashboard.server import routes
    from speakerid.gallery import Gallery

    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="error"))
    threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        voices.enroll_four(Path(name))
        people = Gallery.open(name).speakers()
    board = Board(people)
    publisher = Publisher(board, lambda: None, lambda start, end: None, lambda: None)
    board.set_status("listening", "")
    on_update = publisher.begin()
    recorded = _snapshots(people)
    while not server.started:
        time.sleep(0.05)
    host = f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    token = publisher.watch()
    command = [sys.executable, "-c", _VIEWER, f"ws://{host}/api/live/{token}", f"http://{host}"]
    viewer = subprocess.Popen(command)
    try:
        while not publisher._channel or not publisher._channel.subscribers:
            time.sleep(0.05)
        used, began, sent = time.process_time(), time.monotonic(), 0
        while time.monotonic() - began < seconds:
            snapshot, decisions = recorded[sent % len(recorded)]
            on_update(replace(snapshot, at=sent / UPDATES), decisions)
            sent += 1
            time.sleep(max(0.0, began + sent / UPDATES - time.monotonic()))
        lasted = time.monotonic() - began
        share = (time.process_time() - used) / lasted
    finally:
        viewer.terminate()
        viewer.wait()
        server.should_exit = True
    return {"server_drawing_share_of_a_core": round(share, 4), "updates_a_second": round(sent / lasted, 1)}


def _snapshots(people: list) -> list:
    """(snapshot, decisions) for every tenth of a second of a conversation, from the real Listener."""
    from types import SimpleNamespace

    from speakerid.identify import Listener, Snapshot
    from speakerid.model import Encoder

    samples, _ = voices.conversation(list(voices.PEOPLE))
    listener = Listener(Encoder.load(), SimpleNamespace(speakers=lambda: people))
    made, latest = [], None
    for block in np.split(samples, range(1600, len(samples), 1600)):
        decisions = listener.push(block)
        latest = decisions[-1] if decisions else latest
        made.append(
            (
                Snapshot(at=listener.heard, decision=latest, speech=True, turns=tuple(listener.turns)),
                decisions,
            )
        )
    return made


if __name__ == "__main__":
    main()
