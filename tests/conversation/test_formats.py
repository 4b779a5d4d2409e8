"""The log's texts for other programs."""

import csv
import io
import json
from datetime import datetime

import pytest

from speakerid.conversation.conversation import KINDS, Conversation
from speakerid.conversation.entry import Entry, clock
from speakerid.conversation.formats import harmless, to_csv, to_json, to_rttm, to_srt, to_vtt
from speakerid.conversation.report import to_html

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


@pytest.mark.parametrize("name", ["＝1+1", "＠SUM(A1)", "\u200b=1+1", "\u00a0-1", "\ufeff+1"])
def test_no_spreadsheet_of_any_country_runs_a_name(name):
    assert harmless(name) == "'" + name


def test_rttm_has_ten_fields_a_line_and_durations():
    lines = [line.split() for line in to_rttm(ENTRIES, "my talk").splitlines()]
    assert {len(fields) for fields in lines} == {10}
    assert lines[0][:5] == ["SPEAKER", "my_talk", "1", "0.500", "1.750"]
    assert lines[0][7] == "Ana_María"


def test_json_tells_what_was_corrected():
    rows = json.loads(to_json(ENTRIES))
    assert [row["corrected"] for row in rows] == [False, True, False]
    assert rows[1]["speaker"] == "Bō" and rows[1]["named"] == "unknown"


def test_every_format_has_every_name_safely_and_alike():
    nasty = "</script><img src=x onerror=alert(1)> --> {\\an8}\n\n=cmd()"
    turns = (Entry(0, 1, nasty, 0.5, nasty), Entry(1, 2, "unknown 1", 0.5, "unknown"))
    made = Conversation(nasty, 2.0, turns, "a-model", True)
    written = {kind: format.write(made) for kind, format in KINDS.items()}
    assert all("unknown 1" in text or "unknown_1" in text for text in written.values())
    assert all(len(line.split()) == 10 for line in written["rttm"].splitlines())
    assert [row["speaker"] for row in json.loads(written["json"])] == [nasty, "unknown 1"]
    assert "<img" not in written["html"] + written["srt"] + written["vtt"]
    assert "{" not in written["srt"] and written["srt"].count("-->") == written["vtt"].count("-->") == 2


def test_the_report_has_title_date_model_and_a_figure_for_every_name():
    names = ["Ana", "__proto__", "<!--<script>", "a" * 200, "100%", "unknown 1"]
    turns = tuple(Entry(k, k + 2, name, 0.9, name) for k, name in enumerate(names))
    made = Conversation("talk", 7.0, turns, "ecapa-x", False, ("The end is lost.",))
    page = to_html(made, "Board <1>", {"Ana": "#123456"}, datetime(2031, 5, 6, 7, 8))
    assert "<h1>Board &lt;1&gt;</h1>" in page and "2031-05-06 07:08" in page and "The end is lost." in page
    assert "ecapa-x (not calibrated" in page and "6, 1 of them unknown" in page
    assert page.count("<rect") == len(turns) and 'fill="#123456"' in page
    assert "<script" not in page and len(page) < 20_000
    assert "Nobody speaks" in to_html(Conversation("talk", 6.0, (), "ecapa-x", True))


def test_subtitles_number_escape_and_write_times_as_their_formats_do():
    entries = [Entry(1.5, 3661.25, "A <b>\n\nB", 0.9, "A <b>\n\nB"), ENTRIES[1]]
    assert to_srt(entries[:1]).split("\n")[:4] == ["1", "00:00:01,500 --> 01:01:01,250", "A ‹b› B", ""]
    lines = to_vtt(entries).split("\n")
    assert lines[:4] == ["WEBVTT", "", "00:00:01.500 --> 01:01:01.250", "<v A &lt;b&gt; B>A &lt;b&gt; B</v>"]


def test_who_speaks_at_once_shares_a_subtitle():
    entries = [Entry(0, 4, "Ana", 0.9, "Ana"), Entry(3, 6, "Bo", 0.9, "Bo"), Entry(6, 7, "Bo", 0.9, "Bo")]
    assert to_srt(entries).split("\n\n") == [
        "1\n00:00:00,000 --> 00:00:03,000\nAna",
        "2\n00:00:03,000 --> 00:00:04,000\n- Ana\n- Bo",
        "3\n00:00:04,000 --> 00:00:06,000\nBo",
        "4\n00:00:06,000 --> 00:00:07,000\nBo\n",
    ]
    assert to_vtt(entries).count("-->") == 3
