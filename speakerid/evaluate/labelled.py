"""Conversations and meetings of whom it is known who speaks when, and what a listener makes of them.

Each is a folder with `enroll/SPEAKER/*` (recordings), a `mix` recording (mix.wav) and `ref.rttm`; strangers'
turns carry labels that begin with "unknown" or "stranger".
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speakerid.errors import EnrollmentRefused
from speakerid.evaluate import EvaluationError, diarization
from speakerid.evaluate.diarization import Turn

if TYPE_CHECKING:
    from speakerid.conversation.conversation import Conversation
    from speakerid.gallery import Gallery
    from speakerid.identify import Decision
    from speakerid.model.embedder import Embedder

BLOCK = 320  # samples, 20 ms: how a live source delivers

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Heard:
    """One folder, and what was made of it.

    Attributes:
        name: of the folder.
        turns: who speaks when, in truth.
        decisions: of the first look.
        conversation: what the second look made of it all.
        refused: a sentence for each person whose enrollment was refused.
    """

    name: str
    turns: list[Turn]
    decisions: list[Decision]
    conversation: Conversation
    refused: list[str]


def find(folder: str | Path) -> list[Path]:
    """The conversations in a folder, sorted.

    Raises:
        EvaluationError: there is none, or one lacks its mix or its enrollment recordings.
    """
    folders = sorted(path.parent for path in Path(folder).glob("*/ref.rttm"))
    if not folders:
        raise EvaluationError(
            f"There is no conversation in {folder}; each one is a folder in it with "
            "enroll/SPEAKER/*.wav, mix.wav and ref.rttm."
        )
    for path in folders:
        if not (path / "mix.wav").is_file() or not any((path / "enroll").glob("*/*")):
            raise EvaluationError(
                f"The conversation {path} is incomplete; it needs mix.wav and enroll/SPEAKER/*.wav beside "
                "ref.rttm."
            )
    return folders


def read_rttm(path: Path) -> list[Turn]:
    """The turns of an RTTM file (NIST Rich Transcription 2009: file, channel, start, duration, …, name).

    Raises:
        EvaluationError: a line cannot be read, or there is no turn.
    """
    turns: list[Turn] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.startswith("SPEAKER"):
            continue
        try:
            row = line.split()
            turns.append((float(row[3]), float(row[3]) + float(row[4]), row[7]))
        except (IndexError, ValueError) as error:
            raise EvaluationError(
                f"{path}, line {number}, is no RTTM line; write: SPEAKER file 1 START SECONDS <NA> <NA> NAME."
            ) from error
    if not turns:
        raise EvaluationError(f"{path} holds no turn; write one SPEAKER line for each turn.")
    return turns


def all_heard(
    folders: Sequence[Path],
    encoder: Embedder,
    doing: str,
    progress: Progress | None = None,
    condition: str = "clean",
) -> Iterator[Heard]:
    """Listen to each of the folders with one encoder; progress gets how many are done, of how many, doing.

    Args:
        condition: what happens to the sound that is heard (degrade.py); people are enrolled without it.
    """
    for done, folder in enumerate(folders):
        if progress:
            progress(done, len(folders), doing)
        turns = read_rttm(folder / "ref.rttm")
        yield Heard(folder.name, turns, *_listen(folder, encoder, condition))
    if progress:
        progress(len(folders), len(folders), doing)


def second_look(every: Sequence[Heard]) -> dict[str, Any]:
    """Of all that was heard: `diarization` by the second look, and who could not be enrolled."""
    errors = [diarization.compare(one.turns, diarization.turns_of(one.conversation.turns)) for one in every]
    refused = [sentence for one in every for sentence in one.refused]
    return {
        "diarization": diarization.figures(errors),
        "refused": refused,
        "refused_people": len(refused),
    }


def enrolled(folder: Path, encoder: Embedder, place: Path) -> tuple[Gallery, list[str]]:
    """Enroll a conversation's people as a user would who knows them, in a gallery at `place`.

    Returns:
        The gallery, and one sentence for each person whose enrollment was refused.
    """
    from speakerid.audio.decode import decode
    from speakerid.gallery import Consent, Gallery

    gallery = Gallery.open(place)
    refused: list[str] = []
    for person in sorted((folder / "enroll").iterdir()):
        files = sorted(path for path in person.iterdir() if path.is_file())
        try:
            gallery.enroll(
                person.name,
                [decode(path).samples for path in files],
                encoder,
                consent=Consent.now("Labelled recordings, used for measuring only.", "evaluate"),
                sources=[path.name for path in files],
                distinct_from=[other.name for other in gallery.speakers()],
            )
        except EnrollmentRefused as error:
            refused.append(f"{folder.name}: {person.name} was not enrolled. {error}")
    return gallery, refused


def _listen(
    folder: Path, encoder: Embedder, condition: str
) -> tuple[list[Decision], Conversation, list[str]]:
    """Hear a conversation's mix in 20 ms blocks.

    Returns:
        The decisions of the first look, what the second made of it all, and who was refused (`enrolled`).
    """
    from speakerid.audio.decode import decode
    from speakerid.conversation.hearing import Hearing
    from speakerid.evaluate.degrade import CONDITIONS
    from speakerid.identify import Listener

    with tempfile.TemporaryDirectory(prefix="speakerid-evaluate-") as temporary:
        gallery, refused = enrolled(folder, encoder, Path(temporary))
        hearing = Hearing(Listener(encoder, gallery))
        decisions: list[Decision] = []
        mix = decode(folder / "mix.wav", max_seconds=float("inf")).samples
        mix = CONDITIONS[condition](mix, f"{folder.parent.name}/{folder.name}")
        for start in range(0, len(mix), BLOCK):
            decisions += hearing.push(mix[start : start + BLOCK])
        decisions += hearing.flush()
        conversation = hearing.conversation(folder.name)
    return decisions, conversation, refused
