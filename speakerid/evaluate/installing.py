"""A model made ready to use: loaded, downloaded where it has to be, and calibrated where nobody has yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from speakerid.errors import ModelError
from speakerid.evaluate import arrival
from speakerid.model import catalog

if TYPE_CHECKING:
    from speakerid.model import Encoder

Report = Callable[[str, float], None]  # what is done, and the share of it that is done, 0..1


def ready(name: str, report: Report | None = None, *, calibrated: bool = True) -> tuple[Encoder, str]:
    """The encoder of a model, calibrated.

    Args:
        report: called while it downloads and while it is calibrated.
        calibrated: False where nothing will be scored.

    Returns:
        The encoder, and why it could not be calibrated, "" if it is.

    Raises:
        ModelError: it cannot be loaded.
    """
    from speakerid.model import Encoder

    def downloading(done: int, total: int) -> None:
        if report and done < total:
            report(f"Downloading {done / 1e6:.0f} of {total / 1e6:.0f} MB", done / max(total, 1))
        elif report:
            report("Checking the download and loading the model", 1.0)

    def calibrating(done: int, total: int) -> None:
        if report:
            report(f"Calibrating: {done} of {total} voices heard", done / max(total, 1))

    encoder = Encoder.load(name, progress=downloading)
    catalog.remember(name, encoder.id)
    remark = ""
    if calibrated and arrival.needed(encoder.id):
        if report:
            report("Calibrating: getting the speech ready", 0.0)
        try:
            arrival.calibrate(encoder, calibrating)
        except ModelError as problem:
            remark = str(problem)
    return encoder, remark
