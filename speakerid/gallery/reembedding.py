"""Another model takes over: voiceprints made anew from the recordings that were kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from speakerid.errors import GalleryError, SpeakerIdError
from speakerid.gallery import recordings as kept
from speakerid.gallery.base import Base, require
from speakerid.gallery.consent import utc_now
from speakerid.gallery.enrollment import examine
from speakerid.gallery.exemplars import Embedder, choose
from speakerid.gallery.portable import Portable
from speakerid.gallery.voiceprint import Voiceprint

Progress = Callable[[int, int, str], None]
"""Called with how many people are done, how many there are, and the name of the next one."""


@dataclass(frozen=True)
class Reembedded:
    """Whose voiceprint another model made anew; who is left as before, and by name why and what to do."""

    done: list[str]
    left: dict[str, str]


class Reembedding(Base):
    """Each person is made anew wholly or not at all, and it is recorded in the audit log."""

    def recording_counts(self) -> dict[str, int]:
        """How many recordings are kept, by the id of the voiceprint; who has none is not in it."""
        return {owner: len(files) for owner, files in self._store.recordings().items()}

    def not_kept(self, model: str, names: Sequence[str] = ()) -> dict[str, int]:
        """What `reembed` with this model would lose: by name, how many exemplars are of recordings that were
        not kept; who loses nothing, or has no kept recording and stays as before, is not in it.

        Raises:
            GalleryError: if somebody is not enrolled, or the folder cannot be read.
        """
        able = self.recording_counts()
        people = [p for p in self._chosen(names) if p.model != model and p.id in able]
        counts = {person.name: sum(not ids for ids in person.recordings) for person in people}
        return {name: count for name, count in counts.items() if count}

    def reembed(
        self, encoder: Embedder, progress: Progress | None = None, names: Sequence[str] = ()
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
        people = [person for person in self._chosen(names) if person.model != encoder.id]
        for index, person in enumerate(people):
            if progress:
                progress(index, len(people), person.name)
            try:
                self._reembed(person, encoder)
                done.append(person.name)
            except SpeakerIdError as error:
                left[person.name] = str(error)
        if progress:
            progress(len(people), len(people), "")
        return Reembedded(done, left)

    def _reembed(self, person: Voiceprint, encoder: Embedder) -> None:
        recordings = self._recordings_of(person)
        if not recordings:
            raise GalleryError(
                f"No recordings were kept: use the model {person.model}, or remove the person "
                "and enroll again."
            )
        made = reembedded(Portable(person, recordings), encoder)  # slow, so without the lock
        with self._store.locked():
            now = self._store.read().find(person.name)
            if now is not person or set(self._recordings_of(person)) != set(recordings):
                raise GalleryError("It was changed meanwhile: do it again.")
            self._commit("reembed", [person.id], [made])

    def _chosen(self, names: Sequence[str]) -> list[Voiceprint]:
        contents = self._store.read()
        chosen = [require(contents, name) for name in names] or list(contents.people.values())
        return list({person.id: person for person in chosen}.values())

    def _recordings_of(self, person: Voiceprint) -> dict[str, bytes]:
        """Contents of a person's recordings by their ids."""
        found: dict[str, bytes] = {}
        for file in self._store.recordings(person.id).get(person.id, ()):
            if ids := kept.ids_of(file):
                found[ids[1]] = self._bytes_of(file)
        return found

    def _bytes_of(self, file: str) -> bytes:
        try:
            return self._store.recording_bytes(file)
        except GalleryError as error:
            raise unusable(file, error) from error


def unusable(file: str, error: GalleryError) -> GalleryError:
    return GalleryError(
        f'The recording "{file}" cannot be used, because {error}: "speakerid doctor --repair" moves it away.'
    )


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
