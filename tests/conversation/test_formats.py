"""The log's texts for other programs."""

import csv
import io
import json

import pytest

from speakerid.conversation.entry import Entry, clock
from speakerid.conversation.formats import to_csv, to_html, to_json, to_rttm, to_srt, to_vtt

ENTRIES = [
    Entry(0.5, 2.25, "Ana María", 0.912, "Ana María"),
    Entry(2.5, 4.0, "Bō", 0.4, "unknown"),
    Entry(4.5, 5.0, "=cmd()", 0.8, "=cmd()"),
]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (9.96, "0:10.0"), (83.44, "1:23.4"), (3599.96, "1:00:00.0"), (-1, "0:00.0")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_csv_reads_back_and_runs_no_formula():
    rows = list(csv.DictReader(io.StringIO(to_csv(ENTRIES))))
    assert [row["speaker"] for row in rows] == ["Ana María", "Bō", "'=cmd()"]
    assert rows[1]["heard_as"] == "unknown"
    assert (float(rows[0]["start"]), float(rows[0]["end"])) == (0.5, 2.25)


def test_rttm_has_ten_fields_a_line_and_durations():
    lines = [line.split() for line in to_rttm(ENTRIES, "my talk").splitlines()]
    assert {len(fields) for fields in lines} == {10}
    assert lines[0][:5] == ["SPEAKER", "my_talk", "1", "0.500", "1.750"]
    assert lines[0][7] == "Ana_María"


def test_json_tells_what_was_corrected():
    rows = json.loads(to_json(ENTRIES))
    assert [row["corrected"] for row in rows] == [False, True, False]
    assert rows[1]["speaker"] == "Bō" and rows[1]["named"] == "unknown"


def test_the_report_keeps_names_from_being_markup():
    nasty = "</script><img src=x onerror=alert(1)>"
    page = to_html(
        [Entry(0, 1, nasty, 0.5, nasty)], nasty, [{"data": [{"name": nasty}], "layout": {}}], "var P;"
    )
    assert "<img" not in page.replace("<\\/script><img", "")
    assert page.count("</script>") == 2, "only the two script elements of the page itself end one"


def test_subtitles_number_escape_and_write_times_as_their_formats_do():
    entries = [Entry(1.5, 3661.25, "A <b>\n\nB", 0.9, "A <b>\n\nB"), ENTRIES[1]]
    assert to_srt(entries).split("\n")[:4] == ["1", "00:00:01,500 --> 01:01:01,250", "A <b> B", ""]
    lines = to_vtt(entries).split("\n")
    assert lines[:4] == ["WEBVTT", "", "00:00:01.500 --> 01:01:01.250", "<v A &lt;b&gt; B>A &lt;b&gt; B</v>"]
