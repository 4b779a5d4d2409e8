"""People from an exported file: a look at who is in it, then taking them in, as was decided for each."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from speakerid.errors import GalleryError, SpeakerIdError
from speakerid.gallery import kept_recording as kept
from speakerid.gallery.consent import utc_now
from speakerid.gallery.editing import joined
from speakerid.gallery.exemplars import exemplars_of, unknown
from speakerid.gallery.names import free_name, name_key
from speakerid.gallery.portable import Imported, Portable, read_people
from speakerid.gallery.reembedding import Progress, reembedded
from speakerid.gallery.sealing import seal_of
from speakerid.gallery.voiceprint import Voiceprint
from speakerid.model.embedder import Embedder
from speakerid.model.limits import limits_of

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery

SameName = Literal["skip", "both", "merge", "replace"]
"""What becomes of somebody in the file whose name is taken: left out; kept too, under the name with a number;
made one with who is enrolled; put in the place of who is enrolled."""


@dataclass(frozen=True)
class Arrival:
    """Somebody in an exported file.

    Attributes:
        name: as in the file.
        model: id of the model that made the voiceprint.
        exemplars: how many.
        recordings: how many kept recordings came along.
        enrolled: the name of who is enrolled under that name already; "" for nobody.
        other_name: under which both could be kept then; "" where the name is free.
    """

    name: str
    model: str
    exemplars: int
    recordings: int
    enrolled: str
    other_name: str


class _NotTaken(GalleryError):
    """Why one person of several is left out."""


def look_into(
    gallery: "Gallery", file: str | Path | bytes, passphrase: str = ""
) -> tuple[list[Arrival], dict[str, str]]:
    """Who is in a file that `export` wrote, and which of its members are damaged, with the reason.

    Nothing is changed.

    Args:
        file: its path, or what is in it.

    Raises:
        GalleryError: if the file cannot be read or the passphrase does not open it.
    """
    people, damaged = read_people(file, seal_of(passphrase))
    snapshot = gallery.store.read()
    taken = set(snapshot.people) | {name_key(person.voiceprint.name) for person in people}
    arrivals: list[Arrival] = []
    seen: dict[str, str] = {}
    for person in people:
        name = person.voiceprint.name
        enrolled = snapshot.find(name)
        same = enrolled.name if enrolled else seen.get(name_key(name), "")
        other = free_name(name, taken) if same else ""
        taken.add(name_key(other or name))
        seen[name_key(name)] = name
        exemplars, recordings = len(person.voiceprint.embeddings), len(person.recordings)
        arrivals.append(Arrival(name, person.voiceprint.model, exemplars, recordings, same, other))
    return arrivals, damaged


def load(
    gallery: "Gallery",
    file: str | Path | bytes,
    model: str,
    *,
    same_name: SameName | Mapping[str, SameName] = "skip",
    passphrase: str = "",
    reembed: Embedder | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Add the people in a file that `export` wrote; each of them is added wholly or not at all.

    Args:
        file: its path, or what is in it.
        model: id of the model in use; voiceprints of others are refused.
        same_name: what becomes of people whose name is taken, for all or by their names in the file (who
            is not in it is left out).
        reembed: the model in use, to make those of other models anew from their recordings in the file.
        progress: called before each person that is looked at, and at the end.

    Raises:
        GalleryError: if the file cannot be read or the passphrase does not open it.
    """
    people, refused = read_people(file, seal_of(passphrase))
    usable: list[Portable] = []
    can_reembed: list[str] = []
    for index, person in enumerate(people):
        voiceprint = person.voiceprint
        if progress:
            progress(index, len(people), voiceprint.name)
        if voiceprint.model != model and not (reembed and person.recordings):
            refused[voiceprint.name] = f"it was made by the model {voiceprint.model} and this is {model}"
            if person.recordings:
                can_reembed.append(voiceprint.name)
            continue
        try:
            if voiceprint.model != model and reembed:
                person = replace(person, voiceprint=reembedded(person, reembed))
            usable.append(person)
        except SpeakerIdError as error:
            refused[voiceprint.name] = f"its recordings cannot be embedded again: {error}"
    if progress:
        progress(len(people), len(people), "")
    return Imported(_take_in(gallery, usable, refused, same_name), refused, can_reembed)


def _take_in(
    gallery: "Gallery",
    people: Sequence[Portable],
    refused: dict[str, str],
    same_name: SameName | Mapping[str, SameName],
) -> list[str]:
    """The names under which people were stored; notes in `refused` who was not."""
    added: list[str] = []
    with gallery.store.locked():
        there = dict(gallery.store.read().people)  # kept up by hand: each look at the folder takes time
        taken = {*there, *(name_key(person.voiceprint.name) for person in people)}
        for person in people:
            name = person.voiceprint.name
            chosen = same_name if isinstance(same_name, str) else same_name.get(name, "skip")
            try:
                made = _take_in_one(gallery, person, there, taken, chosen)
            except _NotTaken as reason:
                refused[name] = str(reason)
                continue
            there[name_key(made.name)] = made
            taken.add(name_key(made.name))
            added.append(made.name)
    return added


def _take_in_one(
    gallery: "Gallery",
    person: Portable,
    there: Mapping[str, Voiceprint],
    taken: Collection[str],
    same_name: SameName,
) -> Voiceprint:
    known = there.get(name_key(person.voiceprint.name))
    if known is None or same_name == "both":
        return _add(gallery, person, len(there), free_name(person.voiceprint.name, taken) if known else "")
    if same_name == "skip":
        raise _NotTaken(f'somebody called "{known.name}" is enrolled already')
    return _merge(gallery, person, known) if same_name == "merge" else _replace(gallery, person, known)


def _add(gallery: "Gallery", person: Portable, count: int, other_name: str) -> Voiceprint:
    if count >= gallery.max_people:
        raise _NotTaken(f"there are {count:,} people already, as many as there may be")
    made = _as_stored(person)
    made = replace(made, id=secrets.token_hex(8), name=other_name or made.name)
    gallery.commit("import", [made.id], [made], _files(person.recordings, made.id))
    return made


def _replace(gallery: "Gallery", person: Portable, known: Voiceprint) -> Voiceprint:
    made = replace(_as_stored(person), id=known.id)
    recordings = _files(person.recordings, known.id)
    before = gallery.store.recordings_of(known.id)
    gone = [file for file in before if file not in recordings]
    gallery.commit("import", [known.id], [made], recordings, gone)
    return made


def _merge(gallery: "Gallery", person: Portable, known: Voiceprint) -> Voiceprint:
    """Make somebody from a file one with who is enrolled; what that person has already comes no second
    time."""
    arrived = _as_stored(person)
    if arrived.model != known.model:
        raise _NotTaken(f'"{known.name}" was enrolled with another model ({known.model})')
    if float(arrived.centroid @ known.centroid) < limits_of(known.model).same_voice:
        raise _NotTaken(f'it does not sound like "{known.name}", who is enrolled: keep both instead')
    fresh = exemplars_of(arrived)
    new, pool, _ = unknown(exemplars_of(known), fresh)
    left = fresh.pick(new)
    twice = fresh.kept() - pool.kept() - left.kept()  # recordings that are kept already
    recordings = _files({one: c for one, c in person.recordings.items() if one not in twice}, known.id)
    there = set(gallery.store.recordings_of(known.id))
    if len(there | recordings.keys()) > kept.MAX_RECORDINGS:
        raise _NotTaken(
            f"together they have more than {kept.MAX_RECORDINGS} kept recordings: remove those of "
            f'"{known.name}" first'
        )
    made = joined(known, pool.join(left), arrived, keeps=bool(there or recordings))
    gallery.commit("import", [known.id], [made], recordings)
    return made


def _as_stored(person: Portable) -> Voiceprint:
    """The voiceprint, which says that recordings are kept only where some came along undamaged."""
    made = replace(person.voiceprint, updated=utc_now())
    if not person.recordings:
        consent = replace(made.consent, keep_recordings=False)
        made = replace(made, consent=consent, recordings=("",) * len(made.sources))
    return made


def _files(recordings: Mapping[str, bytes], owner: str) -> dict[str, bytes]:
    """Contents of recordings by the names of their files, as those of this person."""
    return {kept.file_of(owner, one): content for one, content in recordings.items()}
