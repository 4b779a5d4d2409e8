"""Put a run's network into the package, with the cohort, the calibration and the gender head for it."""

from pathlib import Path

from speakerid.identify.scoring import CALIBRATIONS
from speakerid.model import Encoder, weights
from speakerid.training.calibrate import calibrate
from speakerid.training.distill import network_of
from speakerid.training.gender import train_gender


def ship(prepared: Path, run_folder: Path) -> str:
    """Write the bundled weights, their calibration and their gender head; returns the id of the new model."""
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
    train_gender(prepared, encoder)
    print(f"shipped {encoder.id}")
    return encoder.id
