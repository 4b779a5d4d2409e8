import unicodedata

import pytest

from speakerid.errors import GalleryError
from speakerid.gallery.names import clean_name, name_key, nearest_names


@pytest.mark.parametrize(
    "name", ["Anna", "José", "李小龍", "محمد", "O'Brien-Łuczak", "👩‍🚀", "می‌خواهم", "../etc", "a/b"]
)
def test_any_name_is_kept(name):
    assert clean_name(f"  {name} ") == unicodedata.normalize("NFC", name)


def test_accents_typed_in_two_ways_are_one_name():
    assert clean_name("Jose\u0301") == "José"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "empty"),
        (" \t\n ", "empty"),
        ("\u200b\u200d", "empty"),
        ("An\x00na", "U\\+0000"),
        ("An\nna", "U\\+000A"),
        ("An\u2028na", "U\\+2028"),
        ("Anna\u202egnp", "U\\+202E"),
        ("An\udcffna", "Unicode"),
        ("x" * 101, "101 characters"),
        ("unknown", "reserved"),
        ("UnKnown ", "reserved"),
        ("ｕｎｋｎｏｗｎ", "reserved"),
        ("unk\u200bnown", "reserved"),
    ],
)
def test_what_cannot_be_a_name_is_refused_with_a_reason(name, says):
    with pytest.raises(GalleryError, match=says):
        clean_name(name)


def test_a_hundred_characters_are_allowed():
    assert len(clean_name("ä" * 100)) == 100


def test_names_that_people_take_for_one_share_a_key():
    assert (
        len({name_key(name) for name in ("Straße", "STRASSE", "strasse ", "Ｓtrasse", "Stra\u00adsse")}) == 1
    )
    assert name_key("Anna") != name_key("Anne")


def test_the_names_most_like_one_come_first():
    names = ["Zoe", "Bruno", "Ada Lovelace", "Adam", "Anna", "José", "Bert", "Cleo", "Dirk"]
    assert nearest_names("ada", names)[:2] == ["Adam", "Ada Lovelace"]
    assert nearest_names("Jose", names)[0] == "José" and len(nearest_names("Jose", names)) == 5
    assert sorted(nearest_names("x", names[:6])) == sorted(names[:6])  # rather than "and 1 more"
