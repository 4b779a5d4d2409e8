"""Whatever is thrown at decoding, import, names and the folder's files: a sentence or a result, never a
traceback, no write outside the folder, nothing lost.

SPEAKERID_FUZZ=10000 tries 10,000 cases of each; by default 300.
"""

import io
import os
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import keep, put_row, recording, rows_of, store_people, voiceprint

from speakerid.errors import AudioError, GalleryError, SpeakerIdError
from speakerid.gallery import Gallery, SameName, kept_recording
from speakerid.gallery.doctor import examine_folder
from speakerid.gallery.names import MAX_NAME_LENGTH, clean_name, name_key
from speakerid.gallery.sealing import Seal, WrongSeal
from speakerid.gallery.serialization import pack, unpack
from speakerid.gallery.voiceprint import VERSION, from_bytes, to_bytes

fuzzed = settings(
    max_examples=int(os.environ.get("SPEAKERID_FUZZ", "300")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
ANNA = voiceprint("Anna", 1)
WHOLE = {"voiceprint": to_bytes(ANNA), "recording": kept_recording.to_bytes(recording())}
READ = {"voiceprint": from_bytes, "recording": kept_recording.from_bytes}
SEAL = Seal("correct horse")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def spoiled(draw, whole: bytes):
    """A content with pieces cut out, turned over, repeated or put in."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(0, 64))
        what = draw(st.sampled_from(["flip", "cut", "insert", "end", "repeat"]))
        if what == "flip" and content:
            content[at] ^= draw(st.integers(1, 255))
        elif what == "cut":
            del content[at : at + length]
        elif what == "insert":
            content[at:at] = draw(st.binary(max_size=64))
        elif what == "end":
            del content[at:]
        else:
            content[at:at] = content[at : at + length]
    return bytes(content)


@fuzzed
@given(st.text(max_size=130))
def test_names_are_kept_or_refused(name):
    try:
        cleaned = clean_name(name)
    except GalleryError:
        return
    assert clean_name(cleaned) == cleaned and 0 < len(cleaned) <= MAX_NAME_LENGTH
    assert name_key(cleaned) == name_key(name_key(cleaned)) and "\n" not in cleaned
    kept = from_bytes(to_bytes(voiceprint(cleaned)), "x")
    assert kept.name == cleaned


@fuzzed
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_spoiled_files_are_refused(kind, data):
    content = data.draw(spoiled(WHOLE[kind]) | st.binary(max_size=300))
    try:
        READ[kind](content, "0" * 16)
    except GalleryError:
        return
    # What was read all the same is what was written: the change was undone, or in what carries no meaning.
    assert unpack(kind, content).about == unpack(kind, WHOLE[kind]).about


@fuzzed
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_files_that_are_wrong_in_themselves_are_refused(kind, data):
    """With a right checksum: made by somebody who knows the format."""
    held = unpack(kind, WHOLE[kind])
    about = dict(held.about)
    for key in data.draw(st.lists(st.sampled_from([*about, "other"]), max_size=3)):
        about[key] = data.draw(anything)
    if data.draw(st.booleans()) and isinstance(about.get("consent"), dict):
        keys = st.sampled_from(sorted(held.about["consent"]))
        about["consent"] = data.draw(st.dictionaries(keys, anything))
    tensors = dict(held.tensors)
    for name in data.draw(st.lists(st.sampled_from([*tensors, "more"]), max_size=2)):
        shape = data.draw(st.lists(st.integers(0, 5), max_size=3))
        dtype = data.draw(
            st.sampled_from(["float32", "float64", "float16", "int8", "uint8", "int64", "bool"])
        )
        tensors[name] = np.full(shape, data.draw(st.sampled_from([0, 1, 7])), dtype)
    version = data.draw(st.sampled_from([VERSION, "1", "2", "0", "9", ""]))
    with suppress(ValueError, UnicodeEncodeError):  # JSON cannot hold it, so no file can
        content = pack(kind, version, about, tensors)
        with suppress(GalleryError):
            READ[kind](content, "0" * 16)


@fuzzed
@given(st.data())
def test_a_sealed_content_opens_unchanged_or_not_at_all(data):
    sealed = SEAL.close(b"content")
    content = data.draw(spoiled(sealed))
    if content != sealed and content[8:24] == sealed[8:24]:  # each other salt costs a tenth of a second
        with pytest.raises(WrongSeal):
            SEAL.open(content)
    assert SEAL.open(sealed) == b"content"


def export_of(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for (name, content), method in members:
            file.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


names_of_members = st.sampled_from(
    [
        "0.safetensors",
        "1.safetensors",
        "../../evil.safetensors",
        "/tmp/evil.safetensors",
        "0.0123456789abcdef.recording",
        "0.fedcba9876543210.recording",
        "../0.0123456789abcdef.recording",
        "",
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
contents_of_members = st.sampled_from([*WHOLE.values(), to_bytes(voiceprint("Bob", 2))]) | st.binary(
    max_size=60
)
methods = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])


@pytest.mark.filterwarnings("ignore:Duplicate name")
@fuzzed
@given(st.data())
def test_imports_add_whole_people_or_say_why_not(data):
    members = data.draw(
        st.lists(st.tuples(st.tuples(names_of_members, contents_of_members), methods), max_size=4)
    )
    content = export_of(members)
    if data.draw(st.booleans()):
        content = data.draw(spoiled(content))
    with tempfile.TemporaryDirectory() as place:
        folder, file = Path(place) / "voiceprints", Path(place) / "people"
        store_people(folder, "Cem")
        file.write_bytes(content)
        gallery = Gallery.open(folder, "")
        added, promised = [], []
        same_name = data.draw(st.sampled_from(get_args(SameName)))
        with suppress(GalleryError):
            promised, _ = gallery.look_into(content)
            added = gallery.load(file, "model-1", same_name=same_name).added
        assert {person.name for person in gallery.speakers()} == {"Cem", *added}
        assert set(added) <= {name for one in promised for name in (one.name, one.other_name)}
        assert gallery.damaged == [] and sorted(os.listdir(place)) == ["people", "voiceprints"]
        assert examine_folder(folder, "model-1", passphrase="").findings == []


def test_a_torn_piece_of_an_encrypted_file_locks_nobody_out(tmp_path):
    folder = tmp_path / "voiceprints"
    store_people(folder, "Anna")
    put_row(folder, "x.safetensors", b"SPKSEAL1")
    assert [person.name for person in Gallery.open(folder, "").speakers()] == ["Anna"]
    examine_folder(folder, "model-1", repair=True, passphrase="")
    assert examine_folder(folder, "model-1", passphrase="").left == []


@settings(fuzzed, max_examples=max(5, fuzzed.max_examples // 20))
@given(st.data())
def test_rows_of_anything_are_read_and_repaired_without_loss(data):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "voiceprints"
        anna, _ = store_people(folder, "Anna", "Bob")
        keep(folder, anna, "kitchen")
        whole = rows_of(folder)
        for file in data.draw(st.lists(st.sampled_from(sorted(whole)), max_size=3)):
            put_row(folder, file, data.draw(spoiled(whole[file])))
        if data.draw(st.booleans()):
            put_row(folder, "00000000000000ff.safetensors", data.draw(st.binary(max_size=50)))
        before = set(rows_of(folder).values())
        with suppress(GalleryError):
            Gallery.open(folder, "").speakers()
        examine_folder(folder, "model-1", passphrase="")
        examine_folder(folder, "model-1", repair=True, passphrase="")
        left = examine_folder(folder, "model-1", passphrase="").left
        assert all("format version" in finding.what for finding in left), "a newer program's files stay"
        after = set(rows_of(folder).values())
        after |= {path.read_bytes() for path in folder.glob("set-aside/*")}
        assert before <= after
        assert os.listdir(place) == ["voiceprints"]
        for person in Gallery.open(folder, "").speakers():
            Gallery.open(folder, "").recordings(person.name)


def sound(ending):
    """A second of a tone as a file of that kind."""
    import av

    out = io.BytesIO()
    tone = (np.sin(np.arange(16_000) / 10) * 9000).astype(np.int16)
    with av.open(out, "w", format=ending) as container:
        codec = {"wav": "pcm_s16le", "flac": "flac", "ogg": "libopus"}[ending]
        stream = container.add_stream(codec, rate=48_000 if ending == "ogg" else 16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        frame.sample_rate = 48_000 if ending == "ogg" else 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return out.getvalue()


SOUNDS = {ending: sound(ending) for ending in ("wav", "flac", "ogg")}


@fuzzed
@given(st.sampled_from(sorted(SOUNDS)), st.data())
def test_spoiled_sound_is_read_or_refused(ending, data):
    from speakerid.audio.decode import decode

    content = data.draw(spoiled(SOUNDS[ending]) | st.binary(max_size=200))
    try:
        read = decode(content, name="it")
    except AudioError as error:
        assert isinstance(error, SpeakerIdError) and "it" in str(error)
        return
    assert read.samples.dtype == np.float32 and np.isfinite(read.samples).all() and len(read.samples)
    assert abs(read.samples).max() <= 1.5
