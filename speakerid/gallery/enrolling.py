"""Enrolling: what `examine` finds in recordings becomes a person, or more of one."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from speakerid.errors import EnrollmentRefused, GalleryError
from speakerid.gallery import kept_recording as kept
from speakerid.gallery.consent import Consent, require_consent, utc_now
from speakerid.gallery.enrollment import EnrollmentReport, Examined, examine
from speakerid.gallery.exemplars import choose, exemplars_of, unknown
from speakerid.gallery.given import Given, read
from speakerid.gallery.kept_recording import KeptRecording
from speakerid.gallery.names import clean_name
from speakerid.gallery.owner import check_owner
from speakerid.gallery.serialization import clean_label
from speakerid.gallery.snapshot import Snapshot, require
from speakerid.gallery.voiceprint import Voiceprint
from speakerid.model.embedder import Embedder

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery


def enroll(
    gallery: "Gallery",
    name: str,
    blocks: Given | Sequence[Given],
    encoder: Embedder,
    *,
    consent: Consent | None,
    sources: Sequence[str] | None = None,
    keep_recordings: bool = False,
    gains_db: Sequence[float] = (),
    distinct_from: Sequence[str] = (),
) -> EnrollmentReport:
    """Store a person's voice, or add to what is stored of it.

    Args:
        name: any Unicode name; see `clean_name` for what is refused.
        blocks: one [samples] array a recording, 16 kHz mono, -1..1, or a file; or one of these alone; at
            least MIN_SPEECH_SECONDS of speech together.
        encoder: the model that makes the embeddings.
        consent: that the person agreed; nothing is stored without.
        sources: one label a recording, kept with the exemplars; by default the file's name.
        keep_recordings: whether the person agreed that the recordings are kept too, so that another model
            can make the voiceprint anew; recorded in the consent. Those that were not good enough to be
            used are never kept.
        gains_db: by how much each recording was raised when it came in, where that is known; what came in
            too quiet is refused.
        distinct_from: enrolled people whose voice it is not, though it sounds like theirs, such as twins.

    Recordings that the person is enrolled from already are not used again, and the report says so.

    Raises:
        AudioError: a file cannot be read.
        EnrollmentRefused: if the recordings would make a bad voiceprint, with reasons and remedies.
        GalleryError: no consent, a name that cannot be used, somebody in `distinct_from` who is not
            enrolled, another model's voiceprint, too many people
            or recordings, a folder that cannot be written. Nothing is stored in any of these cases.
    """
    name = clean_name(name)
    consent = replace(require_consent(consent), keep_recordings=keep_recordings)
    given = read(blocks, sources, gains_db)
    blocks, gains_db = given.samples, given.gains_db
    if not blocks:
        raise EnrollmentRefused(["No recording was given: record or choose at least one."])
    labels = _told_apart([clean_label(source) for source in given.sources])
    ids = [secrets.token_hex(8) if keep_recordings else "" for _ in blocks]
    before = gallery.store.read()
    _may_enroll(gallery, before, name, encoder.id)  # refuse early what needs no listening
    for other in distinct_from:
        require(before, other)
    examined = examine(blocks, encoder, labels, ids, gains_db)
    kept_ones = [
        KeptRecording(ids[i], blocks[i], labels[i], utc_now(), consent)
        for i in examined.used
        if keep_recordings
    ]
    report = add(gallery, name, examined, encoder.id, consent, kept_ones, distinct_from)
    return replace(report, warnings=given.warnings + report.warnings)


def add(
    gallery: "Gallery",
    name: str,
    examined: Examined,
    model: str,
    consent: Consent | None,
    keep: Sequence[KeptRecording] = (),
    distinct_from: Sequence[str] = (),
) -> EnrollmentReport:
    """Store what `examine` found in recordings, as `enroll` does.

    Args:
        model: id of the encoder that `examine` used.
        keep: the recordings to keep, by the ids that `examine` was given.
        distinct_from: as for `enroll`.

    Raises:
        EnrollmentRefused: it is the voice of somebody else.
        GalleryError: as for `enroll`.
    """
    name, consent = clean_name(name), require_consent(consent)
    contents_of = {recording.id: kept.to_bytes(recording) for recording in keep}
    with gallery.store.locked():
        snapshot = gallery.store.read()
        own = _may_enroll(gallery, snapshot, name, model)
        same_model = [person for person in snapshot.people.values() if person.model == model]
        apart = [require(snapshot, other).name for other in distinct_from]
        alike = check_owner(examined, name, own, same_model, apart)
        identifier = own.id if own else secrets.token_hex(8)
        pool, fresh, again = None, examined.exemplars, []
        if own:
            new, pool, again = unknown(exemplars_of(own), fresh)
            left = fresh.pick(new)
            known = fresh.kept() - pool.kept() - left.kept()  # recordings that are kept already
            contents_of = {one: content for one, content in contents_of.items() if one not in known}
            fresh = left
        warnings = examined.warnings + alike
        warnings += [
            f'"{name}" is already enrolled from this recording: "{source}" was not used again.'
            for source in again
        ]
        if own and not len(fresh) and not contents_of:
            count = len(own.embeddings)
            return EnrollmentReport(name, 0, count, examined.speech_seconds, examined.quality, warnings)
        _require_room_for(gallery, identifier, name, len(contents_of))
        pool = pool.join(fresh) if pool else fresh
        rows = choose(pool)
        chosen = pool.pick(rows)
        now = utc_now()
        keeps = bool(contents_of or gallery.store.recordings_of(identifier))
        person = Voiceprint(
            id=identifier,
            name=name,
            model=model,
            embeddings=chosen.embeddings,
            seconds=chosen.seconds,
            sources=chosen.sources,
            created=own.created if own else now,
            updated=now,
            consent=replace(consent, keep_recordings=keeps),
            recordings=chosen.recordings,
            earlier_consents=(*own.earlier_consents, own.consent) if own else (),
        )
        files = {kept.file_of(identifier, one): content for one, content in contents_of.items()}
        gallery.commit("enroll", [identifier], [person], files, recordings_kept=len(files))
    added = sum(row >= len(pool) - len(fresh) for row in rows)
    return EnrollmentReport(name, added, len(chosen), examined.speech_seconds, examined.quality, warnings)


def _may_enroll(gallery: "Gallery", snapshot: Snapshot, name: str, model: str) -> Voiceprint | None:
    """The person to add to, if there is one of exactly that name made by that model."""
    own = snapshot.find(name)
    if own is None:
        gallery.require_room(snapshot)
        return None
    if own.name != name:
        raise GalleryError(
            f'There is already somebody called "{own.name}", which looks the same as "{name}": '
            f'write "{own.name}" to add to that person, or choose another name.'
        )
    if own.model != model:
        raise GalleryError(
            f'"{name}" was enrolled with the model {own.model} and this is {model}: '
            "use that model, re-embed the kept recordings, or remove the person and enroll again."
        )
    return own


def _require_room_for(gallery: "Gallery", owner: str, name: str, more: int) -> None:
    there = len(gallery.store.recordings_of(owner)) if more else 0
    if there + more > kept.MAX_RECORDINGS:
        raise GalleryError(
            f'"{name}" has {there} kept recordings and may have {kept.MAX_RECORDINGS}: '
            "remove the kept recordings first, or enroll without keeping them."
        )


def _told_apart(labels: Sequence[str]) -> list[str]:
    """Labels of one enrollment, each another: what is the same gets a number."""
    seen: Counter[str] = Counter()
    told: list[str] = []
    for label in labels:
        seen[label] += 1
        told.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return told
