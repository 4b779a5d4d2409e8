"""`export-model`: the model as one file for devices without Python."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from speakerid.commands.common import answer, load_encoder, note, options
from speakerid.errors import AudioError

if TYPE_CHECKING:
    import numpy as np

PIECE_SECONDS, MOST_PIECES = 2, 200  # of speech that the ranges of 8-bit numbers are found in


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "export-model", parents=[options()], help="write the model as an ONNX file: samples in, embedding out"
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="the file to write")
    parser.add_argument(
        "--format",
        choices=["onnx", "onnx-int8"],
        default="onnx",
        help="onnx-int8: with 8-bit numbers, a third of the size",
    )
    parser.add_argument(
        "--speech",
        type=Path,
        metavar="FOLDER",
        help="recordings of many voices, to find the ranges of 8-bit numbers in (for other models than the "
        "bundled one)",
    )
    parser.set_defaults(run=export)


def export(args: argparse.Namespace) -> None:
    """Write the file, after its numbers were checked against the model's own.

    Raises:
        SpeakerIdError: the file cannot be written, or its numbers do not agree.
    """
    from speakerid.model.export import export_onnx

    encoder = load_encoder(args, calibrated=False)
    speech = _speech(args.speech) if args.speech else []
    difference = export_onnx(encoder, args.out, args.format == "onnx-int8", speech)
    result = {
        "out": str(args.out),
        "format": args.format,
        "model": encoder.id,
        "bytes": args.out.stat().st_size,
        "largest_difference": difference,
    }
    size = f"{result['bytes'] / 1e6:.0f} MB"
    answer(args, result, f'{encoder.id} is in "{args.out}" ({size}; embeddings agree to {difference:.1g}).')


def _speech(folder: Path) -> list[np.ndarray]:
    """The first seconds of the recordings in a folder; what cannot be heard is left out and told."""
    from speakerid.audio.decode import decode
    from speakerid.audio.format import RATE
    from speakerid.model.encoder import refusal

    speech: list[np.ndarray] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            samples = decode(path).samples[: PIECE_SECONDS * RATE]
        except AudioError as error:
            note(f"Left out: {error}")
            continue
        if refusal(samples) is None:
            speech.append(samples)
        if len(speech) == MOST_PIECES:
            break
    if not speech:
        raise AudioError(f'There is no speech in "{folder}": name a folder with recordings of many voices.')
    return speech
