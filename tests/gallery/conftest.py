"""Galleries in both databases: tests that take `place` run in each of them."""

import itertools

import pytest
from support.postgres import Server

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres():
    server = Server()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Where a gallery can be: a folder that is not there yet, or the address of an empty database."""
    if request.param == "sqlite":
        return tmp_path / "voiceprints"
    return request.getfixturevalue("postgres").place(f"gallery_{next(_numbers)}")
