"""`models`: which models are here, which is in use, and another one."""

import argparse
from dataclasses import asdict
from typing import Any

from speakerid import settings
from speakerid.commands.common import Progress, answer, note, options
from speakerid.errors import ModelError


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "models",
        parents=[options()],
        help="list the models, get another one, choose which is used",
        description="Without more, list them. A model that nobody has calibrated is calibrated when it is "
        "first used, with the speech that comes with the app; that takes about a minute.",
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=["list", "get", "use", "remove", "calibrate"],
        default="list",
        help="get: download and calibrate; use: get, and use it from now on; remove: delete a download; "
        "calibrate: calibrate it anew",
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="ecapa-bundled, campplus, owner/model, hf://owner/model@revision/file.onnx, a file or a folder",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Do what `action` says.

    Raises:
        ModelError: there is no such model, or it cannot be fetched, stored or removed.
    """
    if args.action == "list":
        _list(args)
        return
    if not args.name:
        raise ModelError(f"Which model? Write: python -m speakerid models {args.action} NAME")
    if args.action == "remove":
        from speakerid.model import catalog

        catalog.remove(args.name)
        answer(args, {"removed": args.name}, f"{args.name} is removed.")
        return
    _get(args)


def _get(args: argparse.Namespace) -> None:
    from speakerid.evaluate import arrival, installing
    from speakerid.model import catalog

    with Progress() as progress:
        encoder, remark = installing.ready(args.name, lambda what, share: progress.show(what))
        if args.action == "calibrate":
            arrival.calibrate(encoder, lambda done, total: progress.show(f"Calibrating: {done} of {total}"))
    if remark:
        note(remark)
    used = args.action == "use"
    if used:
        catalog.choose(args.name)
        if catalog.is_fixed() and catalog.chosen() != args.name:
            note(f"{settings.MODEL} is set to {catalog.chosen()}, which goes before this choice: unset it.")
    entry = next((one for one in catalog.entries() if one.name == args.name), None)
    told = {"name": args.name, "model": encoder.id, "width": encoder.width, "in_use": used}
    told |= {"calibration": entry.measured if entry else {}}
    said = f"{encoder.id} is ready" + (" and used from now on." if used else ".")
    answer(args, told, said + (" People enrolled with another model: see reembed." if used else ""))


def _list(args: argparse.Namespace) -> None:
    from speakerid.model import catalog

    used = catalog.chosen()
    rows: list[dict[str, Any]] = []
    for one in catalog.entries():
        row = {key: value for key, value in asdict(one).items() if key != "path"}
        rows.append(row | {"in_use": one.name == used, "model": one.model_id, "measured": one.measured})
    answer(args, {"in_use": used, "models": rows}, "\n".join(map(_line, rows)))


def _line(row: dict[str, Any]) -> str:
    state = "in use" if row["in_use"] else "here" if row["installed"] else row["install"] or "to download"
    size = f"{row['bytes'] / 1e6:.0f} MB" if row["bytes"] else "size unknown"
    measured = row["measured"]
    told = [state, size, row["licence"] or "licence unknown"]
    if "eer" in measured:
        told.append(f"{measured['eer']:.1%} errors on short pieces of speech")
    if "ms" in measured:
        told.append(f"{measured['ms']:.0f} ms for 2 s of sound")
    mark = "*" if row["in_use"] else " "
    return f"{mark} {row['name']}  ({', '.join(told)})\n    {row['note']}"
