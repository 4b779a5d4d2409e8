"""`export-model`: the model as one file for devices without PyTorch."""

import argparse
from pathlib import Path

from speakerid.commands.common import answer, load_encoder, note, options


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "export-model", parents=[options()], help="write the model as an ONNX file: samples in, embedding out"
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="the file to write")
    parser.add_argument(
        "--format",
        choices=["onnx", "onnx-int8"],
        default="onnx",
        help="onnx-int8: with 8-bit weights, a third of the size",
    )
    parser.set_defaults(run=export)


def export(args: argparse.Namespace) -> None:
    """Write the file, after its numbers were checked against the model's own."""
    from speakerid.model.export import export_onnx, require_packages

    require_packages()
    encoder = load_encoder(args, calibrated=False)
    note("This takes about a minute.")
    difference = export_onnx(encoder, args.out, int8=args.format == "onnx-int8")
    result = {
        "out": str(args.out),
        "format": args.format,
        "model": encoder.id,
        "bytes": args.out.stat().st_size,
        "largest_difference": difference,
    }
    size = f"{result['bytes'] / 1e6:.0f} MB"
    answer(args, result, f'{encoder.id} is in "{args.out}" ({size}; embeddings agree to {difference:.1g}).')
