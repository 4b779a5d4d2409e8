"""Put a run's network into the package, with the cohort, the calibration and the heads for it."""

from pathlib import Path

from speakerid.identify.scoring import CALIBRATIONS
from speakerid.model import Encoder, weights
from speakerid.model.linear import HEADS
from speakerid.training.calibrate import calibrate
from speakerid.training.distill import network_of
from speakerid.training.gender import train_gender
from speakerid.training.overlap import train_overlap


def ship(prepared: Path, run_folder: Path) -> str:
    """Write the bundled weights, their calibration and their heads; returns the id of the new model."""
    state = {
        name: value.half()
        for name, value in network_of(run_folder).state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    weights.write(state, weights.BUNDLED_FILE)
    encoder = Encoder.load()
    for folder in (CALIBRATIONS, HEADS):
        for stale in folder.glob(f"{encoder.name}-*.safetensors"):
            stale.unlink()
    calibrate(prepared, encoder, CALIBRATIONS / f"{encoder.id}.safetensors")
    train_gender(prepared, encoder)
    train_overlap(prepared, encoder)
    print(f"shipped {encoder.id}")
    return encoder.id
