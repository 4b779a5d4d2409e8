"""One of a thing is never "1 things"."""

import re
from pathlib import Path

import pytest

from speakerid.plural import counted

PACKAGE = Path(__file__).resolve().parents[1] / "speakerid"


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (1, ("turn",), "1 turn"),
        (0, ("turn",), "0 turns"),
        (1200, ("person", "people"), "1,200 people"),
        (1, ("file is", "files are"), "1 file is"),
    ],
)
def test_a_number_and_its_noun_agree(number: int, words: tuple[str, ...], said: str):
    assert counted(number, *words) == said


def test_no_page_puts_a_bare_number_before_a_plural():
    nouns = "turns|pieces|recordings|people|exemplars|voiceprints|steps|others|strangers"
    bare = re.compile(rf"""\{{(len\([^{{}}]*\)|[a-z_.]*(count|number|skipped|tried))\}} ({nouns})\b""")
    found = [
        f"{path.relative_to(PACKAGE)}: {hit.group()}"
        for path in sorted((PACKAGE / "dashboard").rglob("*.py"))
        for hit in bare.finditer(path.read_text("utf-8"))
    ]
    # The sentence on a table that is cut names a number of turns in the thousands.
    assert [one for one in found if "recordings/view.py: {len(entries)} turns" not in one] == []
