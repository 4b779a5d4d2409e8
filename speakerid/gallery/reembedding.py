"""Another model takes over: voiceprints made anew from the recordings that were kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from speakerid.errors import GalleryError, SpeakerIdError
from speakerid.gallery import kept_recording as kept
from speakerid.gallery.consent import utc_now
from speakerid.gallery.enrollment import examine
from speakerid.gallery.exemplars import choose
from speakerid.gallery.portable import Portable
from speakerid.gallery.recordings import recording_counts, recordings_of
from speakerid.gallery.snapshot import require
from speakerid.gallery.voiceprint import Voiceprint
from speakerid.model.embedder import Embedder

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery

Progress = Callable[[int, int, str], None]
"""Called with how many people are done, how many there are, and the name of the next one."""


@dataclass(frozen=True)
class Reembedded:
    """Whose voiceprint another model made anew; who is left as before, and by name why and what to do."""

    done: list[str]
    left: dict[str, str]


def not_kept(gallery: "Gallery", model: str, names: Sequence[str] = ()) -> dict[str, int]:
    """What `reembed` with this model would lose: by name, how many exemplars are of recordings that were
    not kept; who loses nothing, or has no kept recording and stays as before, is not in it.

    Raises:
        GalleryError: if somebody is not enrolled, or the folder cannot be read.
    """
    able = recording_counts(gallery)
    people = [p for p in chosen(gallery, names) if p.model != model and p.id in able]
    counts = {person.name: sum(not ids for ids in person.recordings) for person in people}
    return {name: count for name, count in counts.items() if count}


def reembed(
    gallery: "Gallery", encoder: Embedder, progress: Progress | None = None, names: Sequence[str] = ()
) -> Reembedded:
    """Make the voiceprints of other models anew with this one, from the recordings that were kept.

    What was enrolled without keeping the recording is not in the new voiceprint; see `not_kept`.

    Args:
        progress: called before each person and at the end.
        names: who; by default everybody whose voiceprint another model made.

    Raises:
        GalleryError: if somebody is not enrolled, or the folder cannot be read or written.
    """
    done: list[str] = []
    left: dict[str, str] = {}
    people = [person for person in chosen(gallery, names) if person.model != encoder.id]
    for index, person in enumerate(people):
        if progress:
            progress(index, len(people), person.name)
        try:
            _reembed(gallery, person, encoder)
            done.append(person.name)
        except SpeakerIdError as error:
            left[person.name] = str(error)
    if progress:
        progress(len(people), len(people), "")
    return Reembedded(done, left)


def _reembed(gallery: "Gallery", person: Voiceprint, encoder: Embedder) -> None:
    recordings = recordings_of(gallery, person)
    if not recordings:
        raise GalleryError(
            f"No recordings were kept: use the model {person.model}, or remove the person and enroll again."
        )
    made = reembedded(Portable(person, recordings), encoder)  # slow, so without the lock
    with gallery.store.locked():
        now = gallery.store.read().find(person.name)
        if now is not person or set(recordings_of(gallery, person)) != set(recordings):
            raise GalleryError("It was changed meanwhile: do it again.")
        gallery.commit("reembed", [person.id], [made])


def chosen(gallery: "Gallery", names: Sequence[str]) -> list[Voiceprint]:
    snapshot = gallery.store.read()
    found = [require(snapshot, name) for name in names] or list(snapshot.people.values())
    return list({person.id: person for person in found}.values())


def reembedded(person: Portable, encoder: Embedder) -> Voiceprint:
    """The voiceprint that this model makes from the recordings.

    Raises:
        GalleryError: if a recording cannot be used, or together they would make a bad voiceprint.
    """
    recordings = [kept.from_bytes(content, one) for one, content in person.recordings.items()]
    examined = examine(
        [recording.samples for recording in recordings],
        encoder,
        [recording.source for recording in recordings],
        [recording.id for recording in recordings],
    )
    chosen = examined.exemplars.pick(choose(examined.exemplars))
    return replace(
        person.voiceprint,
        model=encoder.id,
        embeddings=chosen.embeddings,
        seconds=chosen.seconds,
        sources=chosen.sources,
        recordings=chosen.recordings,
        updated=utc_now(),
    )
