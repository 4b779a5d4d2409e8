"""README.md says what was measured: its figures are those of speakerid/docs/figures.json."""

import json

import pytest

from tests import figures

REPORT = {
    "made": "2026-11-26T17:53:16+00:00",
    "models": {"mine": "mine-1"},
    "verification": [
        {"condition": "clean", "corpus": "talks", "length": "2 s", "scoring": by, "speakers": 9}
        | {"eer": rate, "eer_interval": [rate - 0.01, rate + 0.01], "min_dcf": 0.1}
        for by, rate in (("cosine", 0.051), ("llr", 0.042))
    ],
}


def test_the_readme_says_what_was_measured():
    kept, text = json.loads(figures.KEPT.read_text("utf-8")), figures.README.read_text("utf-8")
    assert {name for _, name, _ in figures.BLOCK.findall(text)} == set(figures.BLOCKS)
    assert figures.filled(text, kept) == text, "python -m tests.figures REPORT... writes them"


def test_a_report_is_taken_over_and_written_in():
    kept = figures.taken_over({"meetings": {"der": 0.3}}, REPORT)
    assert kept["meetings"] == {"der": 0.3}, "what a report did not measure stays"
    text = figures.filled("a\n<!-- figures:verification -->\nold\n<!-- end of figures -->\nb\n", kept)
    assert text.startswith("a\n<!-- figures:verification -->\n| EER, talks, 9 speakers | cosine |")
    assert "| 2 s | 5.1 % [4.1–6.1] | 4.2 % [3.2–5.2] |\n" in text
    assert text.endswith("`mine-1`, measured 2026-11-26.\n<!-- end of figures -->\nb\n") and "old" not in text
    assert figures.filled(text, kept) == text


def test_a_report_of_two_models_is_refused():
    with pytest.raises(ValueError, match="of 2 models"):
        figures.taken_over({}, REPORT | {"models": {"a": "a-1", "b": "b-1"}})
