"""Who is enrolled, as JSON shows it: the command line and the REST API say the same."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery


def people_of(gallery: "Gallery") -> list[dict[str, Any]]:
    """Everybody enrolled, sorted by name, as JSON shows them.

    Raises:
        GalleryError: the folder cannot be read.
    """
    people = gallery.speakers()
    kept = gallery.recording_counts()
    return [
        {
            "name": person.name,
            "id": person.id,
            "exemplars": len(person.embeddings),
            "speech_seconds": round(person.seconds_total, 1),
            "model": person.model,
            "sources": sorted(set(person.sources)),
            "exemplar_sources": list(person.sources),
            "recordings_kept": kept.get(person.id, 0),
            "created": person.created,
            "updated": person.updated,
            "consent": {
                "given_at": person.consent.given_at,
                "source": person.consent.source,
                "keep_recordings": person.consent.keep_recordings,
            },
        }
        for person in people
    ]
