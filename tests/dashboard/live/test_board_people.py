"""The live board where people come, go and are called otherwise, and where they are many."""

import json
from dataclasses import replace

import pytest
from dashboard.live.boards import PEOPLE, decision, snapshot, update
from gallery.people import voiceprint

from speakerid.dashboard.live.board.bars import Bars
from speakerid.dashboard.live.board.board import Board
from speakerid.identify import Decision, Turn


def test_many_people_share_a_bar_and_whoever_speaks_gets_one_in_a_place_that_stays():
    names = [f"P{k:02d}" for k in range(20)]
    bars = Bars([*names, "unknown"], lambda name: f"color of {name}")

    def say(who: int) -> dict:
        scores = [0.9 if k == who else 0.005 for k in range(20)] + [0.005]
        bars.take(scores)
        return bars.message(scores, told=True)

    before = say(3)
    assert before["labels"] == [*names[:11], "9 others", "unknown"]
    assert len(before["p"]) == len(before["text"]) == len(before["colors"]) == 13
    after = say(17)
    assert "P17" in after["labels"] and after["p"][after["labels"].index("P17")] == 0.9
    assert sum(a != b for a, b in zip(before["labels"], after["labels"], strict=True)) == 1
    assert after["colors"][after["labels"].index("P17")] == "color of P17"
    assert "P03" in after["labels"], "who spoke lately keeps the bar"
    assert say(3)["labels"] == after["labels"]
    assert sum(after["p"]) == pytest.approx(1, abs=0.01)


def test_somebody_new_in_the_gallery_keeps_the_past(board):
    update(board, 1, "Bō")
    board.set_people([*PEOPLE, replace(voiceprint("Cem", 9), id="9" * 32)])
    hello = board.hello()
    assert [person["name"] for person in hello["people"]] == ["Ana", "Bō", "Cem", "unknown"]
    assert hello["rolling"]["p"] == [[0.05, 0.9, 0.0, 0.05]]


def test_a_board_for_nobody_works():
    board = Board([])
    board.set_status("listening", "")
    said = Decision(1, "unknown", 1.0, {"unknown": 1.0}, PEOPLE[0].embeddings[0])
    assert board.update(snapshot(1, said), [said])["now"]["name"] == "unknown"
    json.dumps(board.hello(), allow_nan=False)


def test_colors_follow_from_everybody_and_not_from_who_takes_part():
    everybody = [replace(PEOPLE[0], id=f"{k:032x}", name=f"P{k}") for k in range(8)]
    looks = {p["name"]: p["color"] for p in Board(everybody).hello()["people"]}
    some = Board(everybody[5:], everybody=everybody).hello()["people"]
    assert {p["name"]: p["color"] for p in some} == {
        name: looks[name] for name in ("P5", "P6", "P7", "unknown")
    }


def test_past_turns_keep_their_row_when_their_person_takes_no_part_any_more(board):
    turn = Turn(0, 2, "Bō", 0.9)
    update(board, 2, "Bō", (turn,))
    board.set_people(PEOPLE[:1], PEOPLE)
    hello = board.hello()
    assert hello["rows"] == ["Ana", "Bō", "unknown"]
    assert hello["figures"]["timeline"]["layout"]["yaxis"]["ticktext"] == hello["rows"]
    assert [person["name"] for person in hello["people"]] == ["Ana", "unknown"]
    color = hello["turns"]["rows"][0]["color"]
    assert color == hello["figures"]["timeline"]["data"][1]["marker"]["color"] != board.color("unknown")
    board.set_people(PEOPLE[:1])  # removed: still a row, and no longer a color
    assert board.hello()["rows"] == ["Ana", "Bō", "unknown"]


def test_of_many_people_only_those_heard_have_a_row():
    many = [replace(PEOPLE[0], id=f"{k:032x}", name=f"P{k}") for k in range(12)]
    board = Board(many)
    board.set_status("listening", "")
    assert board.hello()["rows"] == ["unknown"]
    said = replace(decision(1, "Ana"), speaker="P7")
    message = board.update(snapshot(1, said, (Turn(0, 1, "P7", 0.9),)), [said])
    assert message["kind"] == "hello" and message["rows"] == ["P7", "unknown"]
    corrected = board.correct(0.0, "P3")
    assert corrected["kind"] == "hello" and corrected["rows"] == ["P3", "unknown"]


def test_a_decision_that_was_under_way_gets_its_row_too(board):
    board.set_people(PEOPLE[:1], PEOPLE)
    message = update(board, 2, "Bō", (Turn(0, 2, "Bō", 0.9),))
    assert message["kind"] == "hello" and message["rows"] == ["Ana", "Bō", "unknown"]


def test_a_renamed_person_takes_the_past_along(board):
    turn = Turn(0, 2, "Bō", 0.9)
    update(board, 2, "Bō", (turn,))
    board.set_people([PEOPLE[0], replace(PEOPLE[1], name="Zoë")])
    hello = board.hello()
    assert hello["rows"] == ["Ana", "Zoë", "unknown"] and hello["rolling"]["p"] == [[0.05, 0.9, 0.05]]
    assert board.entries[0].speaker == "Zoë" and not board.entries[0].corrected
    update(board, 3, "Ana", (replace(turn, end=2.5),))  # the Listener still calls this turn what it did
    assert [entry.speaker for entry in board.entries] == ["Zoë"]
