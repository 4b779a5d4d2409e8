"""Put a run's network into the package, with the cohort and the calibration that belong to it."""

from pathlib import Path

from speakerid.identify.scoring import CALIBRATIONS
from speakerid.model import Encoder, weights
from speakerid.training.calibrate import calibrate
from speakerid.training.distill import network_of


def ship(prepared: Path, run_folder: Path) -> str:
    """Write the bundled weights and their calibration; returns the id of the new model."""
    state = {
        name: value.half()
        for name, value in network_of(run_folder).state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    weights.write(state, weights.BUNDLED_FILE)
    encoder = Encoder.load()
    for stale in CALIBRATIONS.glob(f"{encoder.name}-*.safetensors"):
        stale.unlink()
    calibrate(prepared, encoder, CALIBRATIONS / f"{encoder.id}.safetensors")
    print(f"shipped {encoder.id}")
    return encoder.id
