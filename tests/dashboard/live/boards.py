"""What the Engine says to a live board of two people, Ana and Bō."""

import json
from dataclasses import replace

from gallery.people import voiceprint

from speakerid.dashboard.live.board.board import Board
from speakerid.identify import Decision, Details, Snapshot, Turn

PEOPLE = [replace(voiceprint(name, seed), id=f"{seed:032x}") for seed, name in enumerate(("Ana", "Bō"), 1)]


def decision(at: float, speaker: str | None, confidence: float = 0.9) -> Decision:
    if speaker is None:
        return Decision(at, None, 1.0)
    rest = {name: (1 - confidence) / 2 for name in ("Ana", "Bō", "unknown") if name != speaker}
    details = Details({"Ana": 0.61, "Bō": -0.2}, {}, {"Ana": 4.25, "Bō": -3.0}, 1.5, "Bō", "far ahead")
    embedding = PEOPLE[0].embeddings[0] if speaker == "Ana" else PEOPLE[1].embeddings[0]
    return Decision(at, speaker, confidence, {**rest, speaker: confidence}, embedding, details)


def snapshot(at: float, said: Decision | None, turns: tuple[Turn, ...] = (), **other) -> Snapshot:
    return Snapshot(at=at, decision=said, level_dbfs=-23.4, speech=True, turns=turns, **other)


def update(board: Board, at: float, speaker: str | None, turns: tuple[Turn, ...] = (), **other) -> dict:
    said = decision(at, speaker)
    message = board.update(snapshot(at, said, turns, **other), [said])
    json.dumps(message, allow_nan=False)  # what a browser can read
    return message
