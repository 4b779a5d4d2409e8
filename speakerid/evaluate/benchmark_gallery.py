"""How fast a folder of many people is: to load, list, enroll into and identify against.

The people are synthetic: random directions, five exemplars each, in a temporary folder.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from speakerid.evaluate.benchmark import MOST_RUNS, timed

EXEMPLARS, WIDTH = 5, 192
MOST = 10_000  # people in the database; what more of them cost is the scoring, measured without it


def storing(people: int, say: Callable[[str], None] | None = None) -> dict:
    """Times of a folder of so many people.

    Returns:
        {"people", "load_s": everybody read from the folder for the first time, "list_ms": everybody again,
        "look_ms": whether anything changed, "enroll_ms": somebody new stored and everybody read again
        (without the listening), "remove_ms": somebody removed,
        "identify_ms": a window scored against everybody}; medians but for load_s.

    Raises:
        GalleryError: there is no room for the folder.
    """
    from speakerid.gallery import Consent, Gallery
    from speakerid.gallery.consent import utc_now
    from speakerid.gallery.enrollment import Examined
    from speakerid.gallery.exemplars import Exemplars
    from speakerid.gallery.opening import open_store
    from speakerid.gallery.voiceprint import Voiceprint, to_bytes
    from speakerid.identify.scoring import Scorer

    rng = np.random.default_rng(0)
    consent, now, model = Consent.now("A benchmark.", "benchmark"), utc_now(), "benchmark"

    def voice() -> np.ndarray:
        rows = rng.standard_normal((EXEMPLARS, WIDTH)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    seconds, sources = np.full(EXEMPLARS, 3, np.float32), ("benchmark",) * EXEMPLARS
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if say:
            say(f"Making {people:,} people …")
        made: list[Voiceprint] = []
        for i in range(people):
            person = Voiceprint(
                f"{i:016x}", f"Person {i}", model, voice(), seconds, sources, now, now, consent
            )
            made.append(person)
        store = open_store(folder)
        with store.locked():
            store.write_raw({f"{person.id}.safetensors": to_bytes(person) for person in made})
        store.close()
        began = time.perf_counter()
        gallery = Gallery.open(folder, "", max_people=2 * people + 1_000)
        known = gallery.speakers()
        load = time.perf_counter() - began
        assert len(known) == people
        numbers, going = iter(range(1_000_000)), iter(range(1_000_000))

        def enroll() -> None:
            rows = voice()
            new = Exemplars(rows, seconds, sources)
            examined = Examined(new, rows, 15.0, [], [], (0,))
            gallery.add(f"New {next(numbers)}", examined, model, consent)
            gallery.speakers()

        enroll_ms = timed(enroll)
        for _ in range(MOST_RUNS):  # for those who are removed
            enroll()
        scorer = Scorer.for_model(model)
        window, spoken = voice()[:1], np.array([2.0])
        profiles = scorer.profiles(known)
        return {
            "people": people,
            "load_s": load,
            "list_ms": timed(gallery.speakers),
            "look_ms": timed(gallery.revision),
            "enroll_ms": enroll_ms,
            "remove_ms": timed(lambda: gallery.remove(f"New {next(going)}")),
            "identify_ms": timed(scorer.score, window, spoken, profiles),
        }
