"""Python runs this at the start of a server under test: it notes the threads for `App.stream_threads`."""

import os
import threading
import time
from pathlib import Path

_EVERY_S = 0.2


def _note(file: Path) -> None:
    fresh = file.with_suffix(".new")
    while True:
        fresh.write_text("\n".join(sorted(thread.name for thread in threading.enumerate())))
        fresh.replace(file)
        time.sleep(_EVERY_S)


if note := os.environ.get("SPEAKERID_TEST_THREADS"):
    threading.Thread(target=_note, args=(Path(note),), name="note-threads", daemon=True).start()
