"""Corrections to who is enrolled: names, two people into one, people who go."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import numpy as np

from speakerid.errors import GalleryError
from speakerid.gallery import kept_recording as kept
from speakerid.gallery import leaving
from speakerid.gallery.consent import utc_now
from speakerid.gallery.database import DiskFull
from speakerid.gallery.exemplars import Exemplars, choose, exemplars_of
from speakerid.gallery.names import clean_name
from speakerid.gallery.reading import opened
from speakerid.gallery.snapshot import SUFFIX, require, shows_name
from speakerid.gallery.voiceprint import Voiceprint
from speakerid.model.limits import limits_of

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery

P = ParamSpec("P")
R = TypeVar("R")


def deleting(change: "Callable[Concatenate[Gallery, P], R]") -> "Callable[Concatenate[Gallery, P], R]":
    """A change that deletes works on a full disk too: it gets the room that is kept for it."""

    @wraps(change)
    def changed(gallery: "Gallery", *args: P.args, **more: P.kwargs) -> R:
        try:
            return change(gallery, *args, **more)
        except DiskFull:
            if not gallery.store.make_room():
                raise
            return change(gallery, *args, **more)

    return changed


def rename(gallery: "Gallery", old: str, new: str) -> None:
    """Give a person another name.

    Raises:
        GalleryError: nobody is called old, new is taken or unusable, or the folder cannot be written.
    """
    new = clean_name(new)
    with gallery.store.locked():
        snapshot = gallery.store.read()
        person = require(snapshot, old)
        taken = snapshot.find(new)
        if taken and taken is not person:
            raise GalleryError(f'There is already somebody called "{taken.name}": choose another name.')
        gallery.commit("rename", [person.id], [replace(person, name=new, updated=utc_now())])


@deleting
def remove(gallery: "Gallery", name: str) -> None:
    """Delete everything stored of a person: voiceprint, kept recordings, damaged files with the name; in kept
    sessions they are silent and nameless.

    Raises:
        GalleryError: if nobody of that name is enrolled, or the folder cannot be written.
    """
    with gallery.store.locked():
        person = require(gallery.store.read(), name)
        files = _files_of(gallery, person)
        theirs = [file.removesuffix(SUFFIX) for file in files if file.endswith(SUFFIX)]
        leaving.forget(gallery, theirs, [person.name])
        gallery.commit("remove", [person.id], gone=files, files=len(files))


@deleting
def remove_recordings(gallery: "Gallery", name: str) -> int:
    """Delete the kept recordings of a person and keep the voiceprint.

    Returns:
        How many there were.

    Raises:
        GalleryError: if nobody of that name is enrolled, or the folder cannot be written.
    """
    with gallery.store.locked():
        person = require(gallery.store.read(), name)
        files = gallery.store.recordings_of(person.id)
        without = replace(
            keeping(person, False),
            recordings=("",) * len(person.sources),
        )
        gallery.commit("remove-recordings", [person.id], [without], gone=files, files=len(files))
    return len(files)


def merge(gallery: "Gallery", name: str, into: str, *, force: bool = False) -> Voiceprint:
    """Make two people one, who keeps the name `into`.

    The exemplars of both are joined and, where there are more than MAX_EXEMPLARS, chosen for variety as
    at enrollment; kept recordings go along; the later of the two consents counts; the other person is
    deleted.

    Args:
        force: also where the two do not sound like one person.

    Returns:
        The person as it is now.

    Raises:
        GalleryError: somebody is not enrolled, both are the same or made by different models, they do not
            sound alike, there are too many recordings, or the folder cannot be written.
    """
    with gallery.store.locked():
        snapshot = gallery.store.read()
        other, target = require(snapshot, name), require(snapshot, into)
        check_pair(other, target)
        if other is target:
            raise GalleryError(f'"{target.name}" cannot be merged with itself: name two people.')
        if not force and float(other.centroid @ target.centroid) < limits_of(target.model).same_voice:
            raise GalleryError(
                f'"{other.name}" and "{target.name}" do not sound like one person, and together would '
                "make a bad voiceprint: check the names, or, if you are sure, run the command merge with "
                "--force."
            )
        moved = moved_recordings(gallery, other, target, gallery.store.recordings_of(other.id))
        pool = exemplars_of(target).join(exemplars_of(other))
        merged = joined(target, pool, other, keeps=bool(gallery.store.recordings_of(target.id) or moved))
        gone = [f"{other.id}{SUFFIX}", *gallery.store.recordings_of(other.id)]
        leaving.reassign(gallery, other.id, target.id)
        gallery.commit("merge", [other.id, target.id], [merged], moved, gone)
    return merged


def _files_of(gallery: "Gallery", person: Voiceprint) -> list[str]:
    """Names of every row that holds something of a person: voiceprint, hidden doubles of it, recordings, and
    damaged rows in which the name can still be read."""
    store = gallery.store
    files = [f"{person.id}{SUFFIX}"]
    for damaged in store.read().damaged:
        with suppress(GalleryError):
            if shows_name(opened(store.raw(damaged.file), store.seal), person.name):
                files.append(damaged.file)
    for file in tuple(files):
        owner = file.removesuffix(SUFFIX)
        files += store.recordings_of(owner)
    return files


def moved_recordings(
    gallery: "Gallery", source: Voiceprint, target: Voiceprint, files: list[str]
) -> dict[str, bytes]:
    """Contents of recordings by the names that they have once they belong to the target."""
    there = len(gallery.store.recordings_of(target.id))
    if there + len(files) > kept.MAX_RECORDINGS:
        raise GalleryError(
            f'"{source.name}" and "{target.name}" have more than {kept.MAX_RECORDINGS} kept recordings '
            "together: remove the recordings of one of them first."
        )
    moved: dict[str, bytes] = {}
    for file in files:
        ids = kept.ids_of(file)
        if ids:
            moved[kept.file_of(target.id, ids[1])] = gallery.store.recording_bytes(file)
    return moved


def joined(target: Voiceprint, pool: Exemplars, other: Voiceprint, *, keeps: bool) -> Voiceprint:
    """The target, with a varied few of the exemplars and the consents of both, of which the latest counts.

    Args:
        pool: the exemplars of both.
        keeps: whether there are kept recordings of either.
    """
    consents = [*target.earlier_consents, target.consent, *other.earlier_consents, other.consent]
    consents.sort(key=lambda consent: consent.given_at)
    return replace(
        with_exemplars(target, pool.pick(choose(pool))),
        created=min(target.created, other.created),
        consent=replace(consents[-1], keep_recordings=keeps),
        earlier_consents=tuple(consents[:-1]),
    )


def check_pair(one: Voiceprint, other: Voiceprint) -> None:
    if one.model != other.model:
        raise GalleryError(
            f'"{one.name}" was enrolled with the model {one.model} and "{other.name}" with {other.model}, '
            "whose numbers cannot be compared: re-embed or enroll one of them again first."
        )


def keeping(person: Voiceprint, keeps: bool) -> Voiceprint:
    """The person, whose consent says whether recordings are kept."""
    return replace(person, consent=replace(person.consent, keep_recordings=keeps))


def with_exemplars(person: Voiceprint, pool: Exemplars) -> Voiceprint:
    return replace(
        person,
        embeddings=np.ascontiguousarray(pool.embeddings),
        seconds=pool.seconds,
        sources=pool.sources,
        recordings=pool.recordings,
        updated=utc_now(),
    )
