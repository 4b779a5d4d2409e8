"""The Listener's numbers: others are tried on a conversation, and those that ship are told beside them."""

import sys

import pytest
from support import voices

from speakerid.evaluate import EvaluationError
from speakerid.identify import ListenerConfig
from speakerid.training.__main__ import main
from speakerid.training.listener import changed


def test_numbers_are_changed_by_name():
    config = changed("threshold=0.45,tracker.unknown=0.3,closed_set=True")
    assert (config.threshold, config.tracker.unknown, config.closed_set) == (0.45, 0.3, True)
    assert changed("threshold=0.52") == ListenerConfig()


@pytest.mark.parametrize(
    "wrong", ["treshold=0.4", "threshold", "threshold=high", "tracker=1", "nobody.stay=1"]
)
def test_what_sets_no_number_is_refused(wrong):
    with pytest.raises(EvaluationError, match="sets no number of the Listener"):
        changed(wrong)


def test_a_conversation_is_heard_with_each(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "one"
    enrolled = folder / "enroll" / "Alice"
    enrolled.mkdir(parents=True)
    for number, samples in enumerate(voices.enrollment("Alice")):
        voices.write_wav(enrolled / f"{number}.wav", samples)
    samples, [turn] = voices.conversation(["Alice"])
    voices.write_wav(folder / "mix.wav", samples)
    length = turn.end - turn.start
    (folder / "ref.rttm").write_text(
        f"SPEAKER mix 1 {turn.start:.3f} {length:.3f} <NA> <NA> Alice <NA> <NA>\n"
    )
    monkeypatch.setattr(sys, "argv", ["training", "listener", str(tmp_path), "threshold=1.0"])
    assert main() == 0
    head, shipped, never = capsys.readouterr().out.splitlines()
    columns = head.split("  ")
    assert columns[0] == "settings" and "live error" in head
    assert shipped.startswith("as shipped") and never.startswith("threshold=1.0")
    assert shipped.count("100.00 %") < never.count("100.00 %")  # at 1.0 nobody is ever named
