"""The steps of the recipe: `python -m speakerid.training --help`."""

import argparse
import sys
from pathlib import Path

from speakerid.errors import SpeakerIdError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m speakerid.training", description=__doc__)
    steps = parser.add_subparsers(required=True, metavar="STEP")
    step = steps.add_parser("prepare", help="decode the speech, simulate rooms, hear the teacher's centre")
    step.add_argument("manifest", type=Path, help="CSV: path, corpus, speaker, sex, age, split")
    step.add_argument("--noise", type=Path, required=True, help="folder with recordings of noise")
    step.add_argument("--unlabelled", type=Path, help="CSV: path, corpus, language; one unknown voice each")
    step.add_argument("--split", default="train")
    step.add_argument("--out", type=Path, required=True)
    step.set_defaults(run=_prepare)
    step = steps.add_parser("distill", help="train the network; run again to go on where it stopped")
    step.add_argument("prepared", type=Path)
    step.add_argument("--out", type=Path, required=True)
    step.add_argument("--init", type=Path, help="weights (safetensors) to start from, widened where narrower")
    step.add_argument(
        "--keep-head", action="store_true", help="keep the last layers of --init: it came out of this recipe"
    )
    step.add_argument("--processes", type=int, default=1, help="on processors; on CUDA devices see torchrun")
    step.add_argument("--feeders", type=int, default=1, help="processes that make crops for each of them")
    step.add_argument(
        "--mix", default="librispeech=0.46,speechocean=0.46,arabic=0.08", help="how often each corpus"
    )
    for name, kind in {
        "channels": int,
        "steps": int,
        "decay": int,
        "rate": float,
        "seed": int,
        "margin": float,
    }.items():
        step.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS)
    step.add_argument("--no-compile", dest="compile", action="store_false", help="start sooner, step slower")
    step.set_defaults(run=_distill)
    step = steps.add_parser("check", help="equal error rates of a run on the speakers held out of training")
    step.add_argument("prepared", type=Path)
    step.add_argument("run_folder", type=Path)
    step.set_defaults(run=_check)
    step = steps.add_parser("ship", help="weights, cohort and calibration of a run into the package")
    step.add_argument("prepared", type=Path)
    step.add_argument("run_folder", type=Path)
    step.add_argument(
        "--average-with", type=Path, nargs="+", default=[], help="weights that the run began with, or passed"
    )
    step.add_argument("--share", type=float, help="weight of the run's own weights in that mean, 0..1")
    step.set_defaults(run=_ship)
    step = steps.add_parser(
        "int8", help="the 8-bit form of the weights that are in the package (ship makes it too)"
    )
    step.add_argument("prepared", type=Path)
    step.set_defaults(run=_int8)
    step = steps.add_parser("calibration-speech", help="the speech that other models are calibrated with")
    step.add_argument("manifest", type=Path)
    step.set_defaults(run=_calibration_speech)
    step = steps.add_parser("limits", help="derive the bundled model's limits of enrollment anew")
    step.add_argument("prepared", type=Path)
    step.set_defaults(run=_limits)
    step = steps.add_parser("listener", help="try other numbers of the Listener on labelled conversations")
    step.add_argument("conversations", type=Path, help="as for evaluate --conversations")
    step.add_argument(
        "settings", nargs="*", help="such as threshold=0.45 or tracker.unknown=0.3,tracker.stay=0.2"
    )
    step.set_defaults(run=_listener)
    step = steps.add_parser(
        "segmentation", help="train the network that hears who speaks when; run again to go on"
    )
    _add_run_options(step, "meetings")
    step.set_defaults(run=_segmentation)
    step = steps.add_parser("ship-segmentation", help="the segmentation network of a run into the package")
    step.add_argument("run_folder", type=Path)
    step.set_defaults(run=_ship_segmentation)
    step = steps.add_parser(
        "tune-segmentation-windows", help="go on training pyannote's segmentation; run again to go on"
    )
    _add_run_options(step, "windows")
    step.set_defaults(run=_tune_segmentation)
    step = steps.add_parser(
        "ship-segmentation-windows", help="the segmentation of recordings into the package"
    )
    step.add_argument("run_folder", type=Path, help="of tune-segmentation-windows")
    step.set_defaults(run=_ship_segmentation_windows)
    options = parser.parse_args()
    try:
        options.run(options)
    except (SpeakerIdError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _prepare(options: argparse.Namespace) -> None:
    from speakerid.training.prepare import prepare_all

    prepare_all(options.manifest, options.split, options.noise, options.out, options.unlabelled)


def _distill(options: argparse.Namespace) -> None:
    from speakerid.training.launch import launch

    mix = {name: float(weight) for name, weight in (part.split("=") for part in options.mix.split(","))}
    launch(
        options.prepared,
        options.out,
        options.init,
        options.keep_head,
        options.processes,
        options.feeders,
        mix,
        vars(options),
    )


def _add_run_options(step: argparse.ArgumentParser, heard: str) -> None:
    """What either segmentation network's run takes; `heard` is what a step hears so many of."""
    step.add_argument("prepared", type=Path)
    step.add_argument("--out", type=Path, required=True)
    for name, kind in {"steps": int, "rate": float, heard: int, "pool": int, "seed": int}.items():
        step.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS)


def _check(options: argparse.Namespace) -> None:
    from speakerid.training.check import check

    check(options.prepared, options.run_folder)


def _ship(options: argparse.Namespace) -> None:
    from speakerid.training.ship import ship

    ship(options.prepared, options.run_folder, options.average_with, options.share)


def _calibration_speech(options: argparse.Namespace) -> None:
    from speakerid.training.calibration_speech import write

    write(options.manifest)


def _limits(options: argparse.Namespace) -> None:
    from speakerid.model import Encoder
    from speakerid.model.companions import CALIBRATIONS, file_name
    from speakerid.training.calibrate import renew_limits

    encoder = Encoder.load()
    renew_limits(options.prepared, encoder, CALIBRATIONS / file_name(encoder.id))


def _listener(options: argparse.Namespace) -> None:
    from speakerid.training.listener import compare

    print(compare(options.conversations, options.settings))


def _int8(options: argparse.Namespace) -> None:
    from speakerid.training.ship import ship_int8

    ship_int8(options.prepared)


def _segmentation(options: argparse.Namespace) -> None:
    from speakerid.training.segmentation import train_segmentation

    train_segmentation(options.prepared, options.out, vars(options))


def _ship_segmentation(options: argparse.Namespace) -> None:
    from speakerid.training.segmentation_graph import ship_segmentation

    ship_segmentation(options.run_folder)


def _tune_segmentation(options: argparse.Namespace) -> None:
    from speakerid.training.segmentation_tuning import tune_segmentation

    tune_segmentation(options.prepared, options.out, vars(options))


def _ship_segmentation_windows(options: argparse.Namespace) -> None:
    from speakerid.training.segmentation_tuning import weights_of
    from speakerid.training.segmentation_windows import ship_segmentation_windows

    ship_segmentation_windows(weights_of(options.run_folder))


if __name__ == "__main__":
    sys.exit(main())
