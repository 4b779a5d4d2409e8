"""What the live board says, from the Engine's snapshots to the browser's messages."""

import json
from dataclasses import replace

import numpy as np
import pytest
from dashboard.live.boards import PEOPLE, decision, snapshot, update

from speakerid.audio.ring import Ring
from speakerid.conversation.kept_sound import KeptSound
from speakerid.dashboard.live.board.board import Board
from speakerid.dashboard.shared import words
from speakerid.identify import Turn


def test_the_three_answers_are_told_apart(board):
    said = {who: update(board, at, who)["now"] for at, who in enumerate(("Ana", "unknown", None), 1)}
    assert [now["name"] for now in said.values()] == ["Ana", "unknown", "nobody"]
    assert [now["kind"] for now in said.values()] == ["person", "unknown", "nobody"]
    assert "90% sure" in said["Ana"]["detail"] and "1.5 s heard" in said["Ana"]["detail"]
    assert "none of the enrolled" in said["unknown"]["detail"]


def test_an_early_answer_looks_early_and_a_breath_does_not_make_it_so_again(board):
    def shown(at: float, speaker: str | None, seconds: float) -> dict:
        said = decision(at, speaker, 0.93)
        if said.details:
            said = replace(said, details=replace(said.details, seconds=seconds))
        return board.update(snapshot(at, said), [said])["now"]

    first = shown(1, "Ana", 0.2)
    assert first["firm"] == 0.2 and first["detail"] == "first impression · 93% sure · 0.2 s heard"
    assert shown(1.4, "Ana", 0.6)["firm"] == 0.6
    grown = shown(2, "Ana", 1.5)
    assert grown["firm"] == 1 and "impression" not in grown["detail"] and grown["told"] == "93% sure"
    assert shown(2.5, "Ana", 0.2)["firm"] == 1, "the same name goes on after a breath"
    assert shown(2.7, "Bō", 0.2)["firm"] == 0.2
    assert shown(3, None, 0)["firm"] == 1
    assert shown(4, "Ana", 0.2)["firm"] == 0.2, "after a silence anybody may speak"


def test_nothing_is_called_quite_certain(board):
    said = decision(1, "Ana", 0.9999)
    message = board.update(snapshot(1, said, (Turn(0, 1, "Ana", 0.9999),)), [said])
    assert message["now"]["detail"].startswith("over 99% sure")
    assert message["bars"]["text"] == ["over 99%", "0%", "0%"]
    assert message["turns"]["rows"][0]["cells"][2] == "over 99%"
    assert "over 99%" in message["explain"]["columns"][-1]["cells"]
    assert "100" not in json.dumps([message["now"], message["space"]["voice"]["text"], message["explain"]])
    assert f"{message['point']['p'][0]:.0%}" == "99%"
    assert "<td>over 99%</td>" in board.export("html")[2]


def test_bars_keep_their_places_and_end_with_unknown(board):
    assert [person["name"] for person in board.hello()["people"]] == ["Ana", "Bō", "unknown"]
    said = update(board, 1, "Bō")["bars"]
    assert (said["p"], said["text"]) == ([0.05, 0.9, 0.05], ["5%", "90%", "5%"])
    assert said["labels"] == ["Ana", "Bō", "unknown"]
    said = update(board, 2, None)["bars"]
    assert (said["p"], said["text"]) == ([0, 0, 0], ["", "", ""])


def test_between_decisions_only_time_and_signal_go_on(board):
    said = decision(1, "Ana")
    board.update(snapshot(1, said), [said])
    message = board.update(snapshot(1.3, said), [])
    assert not {"bars", "space", "explain"} & set(message)
    assert message["point"]["t"] == 1300


def test_the_rolling_chart_holds_one_minute_at_a_steady_pace(board):
    for k in range(1, 801):
        update(board, k / 10, "Ana")
    rolling = board.hello()["rolling"]
    steps = np.diff(rolling["t"])
    assert steps.min() >= 200 - 1 and rolling["t"][-1] - rolling["t"][0] <= 60_000
    assert len(rolling["t"]) > 290


def test_only_turns_that_changed_are_sent(board):
    first, second = Turn(0, 2, "Ana", 0.9), Turn(2.5, 3, "unknown", 0.7)
    assert update(board, 2, "Ana", (first,))["turns"]["from"] == 0
    message = update(board, 3, "unknown", (first, second))["turns"]
    assert message["from"] == 1 and [row["name"] for row in message["rows"]] == ["unknown"]
    assert update(board, 3.1, "unknown", (first, second))["turns"] is None
    grown = update(board, 4, "unknown", (first, replace(second, end=4)))["turns"]
    assert grown["from"] == 1 and grown["rows"][0]["length"] == 1500
    joined = update(board, 5, "Ana", (Turn(0, 5, "Ana", 0.9),))["turns"]
    assert joined["from"] == 0 and len(joined["rows"]) == 1
    assert [total["text"] for total in joined["totals"]] == ["0:05.0"]


def test_a_corrected_name_stays_corrected_while_the_turn_grows(board):
    turn = Turn(1, 2, "unknown", 0.7)
    update(board, 2, "unknown", (turn,))
    answer = board.correct(1.0, "Bō")
    assert answer and answer["turns"]["rows"][0]["heard"] == "heard as unknown"
    grown = update(board, 3, "unknown", (replace(turn, end=3),))["turns"]["rows"][0]
    assert (grown["name"], grown["length"]) == ("Bō", 2000)
    assert board.entries[0].corrected
    assert "Bō" in board.export("rttm")[2]
    assert board.correct(7.0, "Bō") is None
    assert board.correct(1.0, "<b>") is None


def test_a_name_that_was_corrected_is_not_shown_any_more_while_that_turn_goes_on(board):
    turn = Turn(1, 2, "Ana", 0.9)
    update(board, 2, "Ana", (turn,))
    now = board.correct(1.0, "unknown")["now"]
    assert (now["kind"], now["name"], now["detail"]) == ("unknown", "unknown", "corrected · heard as Ana")
    assert update(board, 3, "Ana", (replace(turn, end=3),))["now"]["name"] == "unknown"
    assert board.correct(1.0, "Bō")["now"]["color"] == board.color("Bō")
    assert "Bō" in board.export("csv")[2] and board.hello()["turns"]["rows"][0]["name"] == "Bō"
    later = update(board, 9, "Ana", (replace(turn, end=3), Turn(8, 9, "Ana", 0.9)))
    assert later["now"]["name"] == "Ana", "the next turn is another one"
    assert board.correct(1.0, "Ana")["now"]["name"] == "Ana"


def test_a_corrected_stretch_stays_corrected_when_the_app_joins_it_to_the_turn_before(board):
    first = Turn(0, 3, "Ana", 0.9)
    update(board, 5, "unknown", (first, Turn(3.2, 5, "unknown", 0.6)))
    board.correct(3.2, "Bō")
    joined = update(board, 6, "Ana", (Turn(0, 6, "Ana", 0.8),))["turns"]
    assert joined["from"] == 0
    rows = [(row["start"], row["length"], row["name"], row["heard"]) for row in joined["rows"]]
    assert rows == [(0, 3200, "Ana", ""), (3200, 2800, "Bō", "heard as Ana")]
    later = update(board, 9, "Bō", (Turn(0, 6, "Ana", 0.8), Turn(8, 9, "Bō", 0.7)))["turns"]
    assert (later["from"], len(later["rows"])) == (2, 1)
    again = board.correct(3.2, "unknown")["turns"]
    assert (again["from"], [row["name"] for row in again["rows"]]) == (0, ["Ana", "unknown", "Bō"])


def test_a_correction_that_comes_when_the_turn_is_joined_already_is_not_lost(board):
    update(board, 6, "Ana", (Turn(0, 6, "Ana", 0.8),))
    board.correct(3.2, "Bō")
    assert [(e.start, e.end, e.speaker) for e in board.entries] == [(0, 3.2, "Ana"), (3.2, 6, "Bō")]
    board.new_listening()
    update(board, 1, "Ana", (Turn(0, 1, "Ana", 0.9),))
    assert [e.speaker for e in board.entries] == ["Ana", "Bō", "Ana"]
    board.correct(3.2, "Ana")
    assert [e.speaker for e in board.entries] == ["Ana", "Ana", "Ana"]


def test_listening_again_goes_on_where_the_log_ended_and_starting_again_forgets(board):
    update(board, 10, "Ana", (Turn(1, 9, "Ana", 0.9),))
    board.new_listening()
    update(board, 4, "Bō", (Turn(2, 4, "Bō", 0.8),))
    assert [(e.start, e.end, e.speaker) for e in board.entries] == [(1, 9, "Ana"), (12, 14, "Bō")]
    board.start_again()
    assert board.entries == () and board.hello()["rolling"]["t"] == []


def test_why_this_name_is_said_in_numbers(board):
    explain = update(board, 1, "Ana")["explain"]
    assert explain["lead"].startswith("Ana: far ahead.")
    columns = {column["head"]: column["cells"] for column in explain["columns"]}
    assert columns["Alike"] == ["0.61", "−0.20", "—"]
    assert columns["Evidence"] == ["+4.2", "−3.0", "—"]
    assert "Among others" not in columns, "without a cohort there is nothing to compare with"


def test_losses_and_clipping_are_told(board):
    signal = update(board, 1, "Ana", dropped=8000, skipped=2, clipped=True)["signal"]
    assert "0.5 s of sound lost" in signal["lost"] and "2 steps skipped" in signal["lost"]
    assert update(board, 1.2, "Ana")["signal"]["lost"] == "", "what is all right takes no room"
    assert signal["clipped"] and any("too loud" in text for text in signal["text"])


def test_latency_is_the_median_of_what_was_measured(board):
    assert board.hello()["latency"]["text"] == "—"
    for milliseconds in (100, 120, 900):
        board.took(milliseconds)
    latency = board.hello()["latency"]
    assert latency["text"] == "120 ms" and "900 ms" in latency["detail"]


def test_after_the_end_no_name_is_shown_any_more(board):
    update(board, 1, "Ana")
    message = board.set_status("ended", "The sound has ended.")
    assert message["now"]["kind"] == "idle" and message["now"]["detail"] == "The sound has ended."
    assert message["bars"]["p"] == [0, 0, 0]
    assert (message["signal"]["level"], message["signal"]["text"]) == (0.0, []), (
        "no speech of the last moment"
    )


@pytest.mark.parametrize("kind", ["csv", "rttm", "json", "html"])
def test_the_log_can_be_taken_away_in_every_form(board, kind):
    update(board, 2, "Bō", (Turn(0, 2, "Bō", 0.9),))
    name, _, text = board.export(kind)
    assert name == f"speakers.{kind}" and "Bō" in text
    assert board.export("exe") is None


def test_the_kept_sound_is_told():
    sound = KeptSound()
    board = Board(PEOPLE, sound)
    assert board.hello()["kept"] == {**board.hello()["kept"], "on": False, "text": "", "ranges": []}
    sound.keep(True)
    sound.add(np.zeros(32_000, np.float32))
    kept = board.hello()["kept"]
    assert kept["on"] and kept["ranges"] == [[0, 2000]] and "0:02" in kept["text"]
    assert "memory only" in kept["help"]


def test_a_replay_is_played_along_only_while_it_is_heard(board):
    assert board.hello()["play"]["number"] is None
    ring = Ring(seconds=2)
    board.state.playing = (3, ring)
    ring.push(np.zeros(32_000, np.float32))
    ring.push(np.zeros(8_000, np.float32))  # half a second is lost, and the recording goes on
    ring.pop()
    update(board, 2.0, "Ana", dropped=8000)
    assert board.hello()["play"] == {"number": 3, "at": 2.5}
    board.start_again()
    assert board.hello()["play"] == {"number": 3, "at": 2.5}, "the sound does not go back with the log"
    assert board.set_status("ended", "")["play"]["number"] is None


def test_the_gender_guess_is_beside_the_name_with_its_caveat_and_only_when_asked_for(board):
    assert update(board, 1, "Ana")["now"]["gender"] is None
    board.gender = lambda said: words.gender("female", 0.999)
    now = update(board, 2, "Ana")["now"]
    assert now["gender"]["text"] == "Sounds: female, 99%"
    assert "children" in now["gender"]["help"] and "nothing about who" in now["gender"]["help"]
    assert words.gender("not sure", 0.5)["text"] == "Sounds: not sure"


def test_who_speaks_at_the_same_time_is_named_too_and_has_a_bar(board):
    update(board, 1, "Bō")
    said = replace(decision(2, "Ana", 0.8), also=("Bō", "unknown"))
    turns = (Turn(0, 1, "Bō", 0.9), Turn(1.2, 2, "Ana", 0.8), Turn(1.5, 2, "Bō", 0.9, True))
    message = board.update(snapshot(2, said, turns), [said])
    assert message["now"]["name"] == "Ana"
    assert [one["name"] for one in message["now"]["also"]] == ["Bō", "unknown"]
    assert message["now"]["also"][0]["color"] == board.color("Bō")
    assert message["bars"]["p"][:2] == [0.8, 0.9], "as sure as when it was heard alone"
    assert [row["start"] for row in message["turns"]["rows"]] == [0, 1200, 1500]
    assert update(board, 3, "Ana")["now"]["also"] == []


def test_what_was_said_beside_somebody_is_corrected_alone(board):
    turns = (Turn(0, 4, "Ana", 0.9), Turn(2, 3, "Bō", 0.9, True))
    update(board, 4, "Ana", turns)
    rows = board.correct(2.0, "unknown")["turns"]["rows"]
    assert [(row["name"], row["start"]) for row in rows] == [("unknown", 2000)]
    assert [row["name"] for row in board.hello()["turns"]["rows"]] == ["Ana", "unknown"]
    board.correct(0.0, "Bō")
    rows = board.hello()["turns"]["rows"]
    assert [(row["name"], row["length"]) for row in rows] == [("Bō", 4000), ("unknown", 1000)]
    assert update(board, 5, "Ana", (replace(turns[0], end=5), turns[1]))["now"]["name"] == "Bō"
