"""`doctor`: is the folder of voiceprints in order, and what can be put right."""

import argparse
from dataclasses import asdict

from speakerid.commands.common import answer, load_encoder, options, passphrase_of
from speakerid.errors import ModelError, SpeakerIdError
from speakerid.plural import counted


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "doctor", parents=[options()], help="check the folder of voiceprints, and repair it"
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help='put right what can be without losing anything (what is damaged goes to "set-aside/")',
    )
    parser.set_defaults(run=examine)


def examine(args: argparse.Namespace) -> None:
    """Print what is wrong, a line each.

    Raises:
        SpeakerIdError: if something is still wrong at the end.
    """
    from speakerid.gallery.doctor import Finding, examine_folder

    model, runtime, more = None, None, []
    try:
        encoder = load_encoder(args)
        model, runtime = encoder.id, encoder.about_runtime
    except ModelError as error:
        more = [Finding("The model cannot be loaded, so who is of another model is not known.", str(error))]
    secret = passphrase_of(args)
    result = examine_folder(args.voiceprints, model, repair=args.repair, passphrase=secret)
    findings = [*more, *result.findings]
    left = [finding for finding in findings if not finding.repaired and not finding.harmless]
    lines = [f"{finding.what} {finding.remedy}" for finding in findings]
    people = counted(result.people, "person", "people")
    whole = f"{people} and {counted(result.recordings, 'kept recording')} can be used."
    if runtime:
        whole += f" {model} runs with {runtime}."
    told = {
        "model": model,
        "runtime": runtime,
        "people": result.people,
        "recordings": result.recordings,
        "findings": [asdict(finding) for finding in findings],
    }
    answer(args, told, "\n".join([*lines, whole]))
    if left:
        remedy = "see the lines above" if args.repair else "see above, or let --repair do what it can"
        raise SpeakerIdError(
            f'{counted(len(left), "thing is", "things are")} wrong in "{args.voiceprints}": {remedy}.'
        )
