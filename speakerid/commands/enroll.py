"""`enroll`: one person from recordings, or everybody in a folder."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speakerid.audio.format import RATE
from speakerid.commands.common import (
    Progress,
    answer,
    load_encoder,
    note,
    open_gallery,
    options,
    sentence_of,
)
from speakerid.errors import AudioError, EnrollmentRefused, GalleryError, SpeakerIdError
from speakerid.gallery.kept_recording import require_length
from speakerid.gallery.names import clean_name, name_key
from speakerid.plural import counted

if TYPE_CHECKING:
    from speakerid.gallery import Consent, EnrollmentReport, Gallery
    from speakerid.model import Encoder

_USAGE = """%(prog)s NAME FILE... --consent [options]
       %(prog)s --from DIR --consent [options]"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "enroll",
        parents=[options()],
        usage=_USAGE.replace("%(prog)s", "speakerid enroll"),
        help="store a person's voice, or add recordings to it",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="whose voice it is")
    parser.add_argument(
        "files", metavar="FILE", nargs="*", help="recordings in which only this person speaks"
    )
    parser.add_argument(
        "--from",
        dest="folder",
        metavar="DIR",
        type=Path,
        help="a folder with one sub-folder of recordings a person",
    )
    parser.add_argument(
        "--consent", action="store_true", help="the person agreed to be recognized by their voice (required)"
    )
    add_enrolling(parser)
    parser.set_defaults(run=lambda args: _run(args, parser))


def add_enrolling(parser: argparse.ArgumentParser) -> None:
    """Add what else may be said of an enrollment: to keep the recordings, and whose voice it is not."""
    parser.add_argument(
        "--keep-recordings",
        action="store_true",
        help="the person also agreed that the recordings themselves are kept in the folder of voiceprints, "
        "so that the voiceprint can be made anew for another model; without it they are not kept",
    )
    parser.add_argument(
        "--distinct-from",
        metavar="NAME",
        action="append",
        default=[],
        help="somebody enrolled whose voice it is not, though it sounds like theirs, such as a twin; may be "
        "given more than once",
    )


def _run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    if args.folder is not None:
        if args.name is not None:
            parser.error("give either NAME and FILE... or --from DIR")
        enroll_folder(args)
    elif args.name is None or not args.files:
        parser.error("give NAME and at least one FILE, or --from DIR")
    else:
        enroll_one(args)


def enroll_one(args: argparse.Namespace) -> None:
    """Enroll one person."""
    consent, name = consent_of(args), clean_name(args.name)
    gallery = open_gallery(args, writes=True)
    require_all(gallery, args.distinct_from)
    blocks, gains = _decode(args.files)  # before the model, so that a wrong path is told at once
    report = gallery.enroll(
        name,
        blocks,
        load_encoder(args),
        consent=consent,
        sources=_labels(args.files),
        keep_recordings=args.keep_recordings,
        gains_db=gains,
        distinct_from=args.distinct_from,
    )
    tell(args, report)


def enroll_folder(args: argparse.Namespace) -> None:
    """Enroll everybody in a folder; who is refused is reported and the others go on.

    Raises:
        SpeakerIdError: if nobody is there, or somebody was refused (after everybody was tried).
    """
    consent = consent_of(args)
    try:
        folders = sorted(p for p in args.folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError as error:
        raise SpeakerIdError(f'"{args.folder}" cannot be read ({error.strerror}): give a folder.') from error
    if not folders:
        raise SpeakerIdError(
            f'"{args.folder}" has no sub-folders: make one for each person, called by their name.'
        )
    gallery = open_gallery(args, writes=True)
    coming = {name_key(folder.name) for folder in folders}
    require_all(gallery, [name for name in args.distinct_from if name_key(name) not in coming])
    encoder = load_encoder(args)
    results: list[dict[str, Any]] = []
    with Progress() as progress:
        for index, folder in enumerate(folders):
            progress.show(f"{index + 1} of {len(folders)}: {folder.name}")
            result = _try_folder(folder, gallery, encoder, consent, args)
            results.append(result)
            progress.clear()
            for warning in result.get("warnings", ()):
                note(f"{folder.name}: {warning}")
            if not args.json:
                print(f"{result['name']}: {_outcome(result)}", flush=True)
    if args.json:
        answer(args, {"people": results}, "")
    refused = [r["name"] for r in results if "refused" in r]
    if refused:
        raise SpeakerIdError(
            f"{len(refused)} of {len(results)} people were not enrolled ({', '.join(refused)}): "
            "see the reason of each above and repeat the command, which only adds what is missing."
        )


def require_all(gallery: "Gallery", names: list[str]) -> None:
    """Make sure that these people are enrolled, before anything that takes time.

    Raises:
        GalleryError: somebody is not.
    """
    for name in names:
        gallery.get(name)


def consent_of(args: argparse.Namespace, source: str = "cli") -> "Consent":
    """The consent that --consent stands for.

    Raises:
        GalleryError: if the flag was not given.
    """
    from speakerid.gallery import Consent

    if not args.consent:
        raise GalleryError(
            "Consent is missing: ask the person whether they agree to be recognized by their voice, "
            "and add --consent if they do."
        )
    return Consent.given(source, keep_recordings=args.keep_recordings)


def tell(args: argparse.Namespace, report: "EnrollmentReport") -> None:
    """Print what an enrollment stored."""
    for warning in report.warnings:
        note(warning)
    text = (
        f'"{report.name}" is enrolled from {report.speech_seconds:.1f} seconds of speech '
        f"({counted(report.added, 'exemplar')} added, {report.exemplars} in all)."
    )
    answer(args, asdict(report), text)


def _try_folder(
    folder: Path, gallery: "Gallery", encoder: "Encoder", consent: "Consent", args: argparse.Namespace
) -> dict[str, Any]:
    try:
        files = sorted(str(p) for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
        if not files:
            raise EnrollmentRefused([f'There are no recordings in "{folder}": add some.'])
        used, blocks, gains, warnings = _decodable(files)
        here = {name_key(person.name) for person in gallery.speakers()} if args.distinct_from else ()
        report = gallery.enroll(
            folder.name,
            blocks,
            encoder,
            consent=consent,
            sources=_labels(used),
            keep_recordings=args.keep_recordings,
            gains_db=gains,
            distinct_from=[name for name in args.distinct_from if name_key(name) in here],
        )
    except (AudioError, GalleryError) as error:
        return {"name": folder.name, "refused": sentence_of(error)}
    except OSError as error:
        why = error.strerror or str(error)
        return {"name": folder.name, "refused": f'"{folder}" cannot be read ({why}): check its permissions.'}
    return asdict(replace(report, warnings=warnings + report.warnings))


def _outcome(result: dict[str, Any]) -> str:
    if "refused" in result:
        return result["refused"]
    if not result["added"]:
        return f"nothing new, {counted(result['exemplars'], 'exemplar')}"
    return counted(result["exemplars"], "exemplar")


def _decodable(files: list[str]) -> tuple[list[str], list[Any], list[float], list[str]]:
    """Which of the files can be read, what is in them, by how much it was raised, and warnings.

    Raises:
        AudioError: none can.
        EnrollmentRefused: they are too long together.
    """
    from speakerid.audio.decode import decode

    used, blocks, gains, warnings = [], [], [], []
    failed: AudioError | None = None
    for file in files:
        try:
            recording = decode(file)
        except AudioError as error:
            failed = error
            warnings.append(f"{error} It was left out.")
            continue
        used.append(file)
        blocks.append(recording.samples)
        require_length(sum(map(len, blocks)) / RATE)
        gains.append(recording.gain_db)
        warnings += recording.warnings
    if failed and not used:
        raise failed
    return used, blocks, gains, warnings


def _decode(files: list[str]) -> tuple[list[Any], list[float]]:
    """What is in the files, and by how much it was raised.

    Raises:
        AudioError: one cannot be read.
        EnrollmentRefused: they are too long together.
    """
    from speakerid.audio.decode import decode

    blocks, gains = [], []
    for file in files:
        recording = decode(file)
        for warning in recording.warnings:
            note(warning)
        blocks.append(recording.samples)
        require_length(sum(map(len, blocks)) / RATE)
        gains.append(recording.gain_db)
    return blocks, gains


def _labels(files: list[str]) -> list[str]:
    return [Path(file).name for file in files]
