"""Run as a process of its own on a small file system: people are deleted there while the disk is full.

python full_disk.py FOLDER
"""

import errno
import sys
from pathlib import Path

from people import keep, store_people, voiceprint

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery

NAMES = [f"Person{number:02}" for number in range(12)]


def fill(folder: Path) -> None:
    """Take what is left of the disk, to the last byte."""
    with open(folder / "filler", "ab", buffering=0) as filler:
        for size in (4096, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC


def legible(folder: Path, text: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file() and text in path.read_bytes()]


def main(folder: Path) -> None:
    place = folder / "voiceprints"
    people = store_people(place, *NAMES)
    for person in people:
        keep(place, person, f"said by {person.name}")
    fill(folder)
    gallery = Gallery.open(place, "")
    try:
        for number in range(50):  # until what is free inside the file is used up
            gallery.store.put(voiceprint(f"Somebody{number:02}", 1000 + number))
            NAMES.append(f"Somebody{number:02}")
    except GalleryError as error:
        assert "full" in str(error) and "check its permissions and the disk" in str(error), error
    else:
        raise AssertionError("the disk is not full")
    assert [person.name for person in gallery.speakers()] == sorted(NAMES)
    gallery.remove_recordings(NAMES[0])
    fill(folder)
    gallery.remove_exemplar(NAMES[1], 0)
    for name in tuple(NAMES):
        fill(folder)
        Gallery.open(place, "").remove(name)
        NAMES.remove(name)
        assert [person.name for person in gallery.speakers()] == sorted(NAMES)
        assert legible(place, name.encode()) == []
    assert gallery.recording_counts() == {} and gallery.damaged == []
    print("all deleted")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
