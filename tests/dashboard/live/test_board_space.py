"""The live board's map of voices: the current one, its way, and strangers."""

from dataclasses import replace

import numpy as np
from dashboard.live.boards import PEOPLE, decision, snapshot, update
from gallery.people import voiceprint

from speakerid.dashboard.live.board.board import Board
from speakerid.dashboard.live.board.strangers import MOST
from speakerid.identify import Decision


def test_the_current_voice_moves_to_its_cluster_and_strangers_stay(board):
    message = update(board, 1, "unknown")
    assert message["strangers"]["points"][0]["at"] == message["space"]["trail"][-1]["at"]
    point = update(board, 2, "Ana")["space"]["trail"][-1]["at"]
    cluster = board.hello()["figures"]["space3d"]["data"][0]
    distances = np.linalg.norm(np.stack([cluster["x"], cluster["y"], cluster["z"]]).T - point, axis=1)
    assert distances.min() < 1e-3
    assert len(board.hello()["strangers"]["points"]) == 1


def stranger(at: float, segment: int) -> Decision:
    return replace(decision(at, "unknown"), segment=segment)


def hear(board: Board, decisions: list[Decision], shown: list[dict]) -> None:
    """Update the board, and what a browser shows of strangers."""
    news = board.update(snapshot(decisions[-1].at, decisions[-1]), decisions)["strangers"]
    del shown[news["from"] :]
    shown += news["points"]


def test_a_stranger_who_spoke_once_long_ago_is_still_seen(board):
    shown: list[dict] = []
    hear(board, [stranger(k / 10, 0) for k in range(1, 31)], shown)
    for segment in range(1, 6):
        for at in range(200):
            hear(board, [stranger(100 * segment + at / 10, segment)], shown)
    assert len(shown) <= MOST
    of = [sum(100_000 * k <= point["t"] < 100_000 * (k + 1) for point in shown) for k in range(6)]
    assert min(of) >= 20 and sum(of) == len(shown)
    assert shown[of[0] - 1]["t"] == 3000, "the latest decision of a stretch was judged by the most speech"
    assert board.hello()["strangers"] == {"from": 0, "points": shown}
    assert [point["t"] for point in shown] == sorted(point["t"] for point in shown)
    assert len(board.unknown_voices()) == len(shown)


def test_of_more_strangers_than_there_is_room_for_the_shortest_go(board):
    shown: list[dict] = []
    for segment in range(MOST + 1):
        said = stranger(segment, segment)
        seconds = 0.5 if segment % 4 == 0 else 2.0
        hear(board, [replace(said, details=replace(said.details, seconds=seconds))], shown)
    assert MOST // 2 < len(shown) < MOST
    assert all(point["t"] % 4000 for point in shown)


def test_a_stranger_who_was_named_elsewhere_stays_on_the_map_when_others_are_enrolled(board):
    update(board, 1, "unknown")
    board.set_people([*PEOPLE, replace(voiceprint("Cem", 9), id="9" * 32)])
    [stranger] = board.hello()["strangers"]["points"]
    assert stranger["t"] == 1000 and "click to name" in stranger["text"]
    [voice] = board.unknown_voices()
    assert (voice.at, voice.seconds) == (1, 1.5)


def test_the_current_voice_is_gone_when_nobody_speaks_and_at_the_end(board):
    voice = update(board, 1, "Ana")["space"]["voice"]
    assert voice["text"] == "now: Ana, 90%<br>nearest: Ana, 0.61 alike"
    assert update(board, 2, None)["space"]["voice"] is None
    assert update(board, 3, "Bō")["space"]["voice"]
    assert board.set_status("ended", "")["space"]["voice"] is None
