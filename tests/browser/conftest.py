"""Fixtures of the tests that use the app as a person does: a running app, a real browser."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from support.app import App
from support.chromium import chromium, microphone_file

OpenBrowser = Callable[..., Page]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Keep the outcome where the fixtures' ends can see it."""
    report = yield
    if report.when != "teardown":
        item.stash[_FAILED] = report.failed or item.stash.get(_FAILED, False)
    return report


_FAILED = pytest.StashKey[bool]()


@pytest.fixture
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    """The app with an empty gallery; its log is printed where the test fails."""
    with App(tmp_path) as running:
        yield running
        if request.node.stash.get(_FAILED, False):
            print(f"--- the server's log ---\n{running.log()}")


@pytest.fixture
def open_browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenBrowser]:
    """`open_browser(samples=None, loop=False) -> Page`: a new Chromium whose microphone plays samples [n].

    The one opened before is closed, so that one test can bring several people to the microphone. Where the
    test fails, a screenshot and the text of the last page are kept beside its other files.
    """
    with ExitStack() as opened:
        pages: list[Page] = []

        def open_browser(samples: np.ndarray | None = None, *, loop: bool = False) -> Page:
            opened.close()
            name = f"browser-{len(pages) + 1}"
            sound = None if samples is None else microphone_file(tmp_path / f"{name}.wav", samples)
            context = opened.enter_context(chromium(tmp_path / name, microphone=sound, loop=loop))
            pages.append(context.pages[0])
            return pages[-1]

        yield open_browser
        if pages and request.node.stash.get(_FAILED, False):
            picture = tmp_path / "failure.png"
            pages[-1].screenshot(path=picture, full_page=True)
            print(f"--- the page, see also {picture} ---\n{pages[-1].inner_text('body')}")
