"""`embed`: recordings to embeddings, for whoever wants to work with the numbers."""

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speakerid.commands import batch
from speakerid.commands.common import Progress, answer, load_encoder, note, options, written
from speakerid.errors import AudioError, SpeakerIdError
from speakerid.plural import counted

if TYPE_CHECKING:
    from speakerid.model import Encoder

FILES_AT_ONCE = 16  # bounds the memory that their samples take


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "embed", parents=[options()], help="write the embeddings of recordings to a file"
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="recordings, a voice each; or one folder")
    parser.add_argument(
        "--out",
        metavar="OUT.npz",
        type=Path,
        required=True,
        help="the file to write, of a folder the folder for a file each (required)",
    )
    batch.add_options(parser, "embed")
    parser.set_defaults(run=embed)


def embed(args: argparse.Namespace) -> None:
    """Write paths [n] str, as given, and embeddings [n, d] float32; if one file fails, write nothing.

    Of a folder, each recording gets such a file of its own.
    """
    if len(args.files) == 1 and Path(args.files[0]).is_dir():
        load_encoder(args)  # what is wrong with it is told before the work begins
        batch.run(args, Path(args.files[0]), args.out, batch.Job(embedder, (args.model,), ".npz"))
        return
    from speakerid.audio.decode import decode
    from speakerid.model.encoder import refusal

    encoder: Encoder | None = None  # loaded once a file was fit for it
    rows: list[np.ndarray] = []
    failures: list[str] = []
    with Progress() as progress:
        for at in range(0, len(args.files), FILES_AT_ONCE):
            blocks: list[np.ndarray] = []
            for file in args.files[at : at + FILES_AT_ONCE]:
                progress.show(f"{at + len(blocks) + 1} of {len(args.files)}: {file}")
                try:
                    recording = decode(file)
                except AudioError as error:
                    failures.append(_named(file, str(error)))
                    continue
                if problem := refusal(recording.samples):
                    failures.append(f'"{file}" {problem}')
                    continue
                for warning in recording.warnings:
                    note(_named(file, warning))
                blocks.append(recording.samples)
            if not failures:
                encoder = encoder or load_encoder(args, calibrated=False)
                rows.append(encoder.embed(blocks))
    if failures or encoder is None:
        count = f"{len(failures)} of {len(args.files)} files cannot be embedded, so nothing was written: "
        raise SpeakerIdError((count if len(args.files) > 1 else "") + " ".join(failures))
    embeddings = np.concatenate(rows)
    with written(args.out, "wb") as file:
        np.savez(file, paths=np.array(args.files, dtype=str), embeddings=embeddings)
    result = {
        "out": str(args.out),
        "files": len(embeddings),
        "dimensions": embeddings.shape[1],
        "model": encoder.id,
    }
    answer(args, result, f'{counted(len(embeddings), "embedding is", "embeddings are")} in "{args.out}".')


def embedder(model: str) -> batch.Work:
    """What embeds one recording into the content of an .npz file, in a process of its own."""
    from speakerid.audio.decode import decode
    from speakerid.model import Encoder
    from speakerid.model.encoder import refusal

    encoder = Encoder.load(model)

    def work(path: str) -> bytes:
        samples = decode(path).samples
        if problem := refusal(samples):
            raise AudioError(f'"{path}" {problem}')
        content = io.BytesIO()
        np.savez(content, paths=np.array([path], dtype=str), embeddings=encoder.embed([samples]))
        return content.getvalue()

    return work


def _named(file: str, sentence: str) -> str:
    """The sentence, with the file in front unless it is in it already."""
    return sentence if file in sentence or Path(file).name in sentence else f'"{file}": {sentence}'
