"""Fixtures of the dashboard's tests."""

import pytest
from dashboard.live.boards import PEOPLE

from speakerid.dashboard.live.board.board import Board


@pytest.fixture
def board() -> Board:
    """A board that listens, to Ana and Bō."""
    made = Board(PEOPLE)
    made.set_status("listening", "")
    return made
