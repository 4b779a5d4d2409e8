"""Fixtures of the tests that use the app as a person does: a running app, a real browser.

Both are started once for all tests of this folder (in each worker of pytest-xdist, its own): a server takes
five seconds until its first page, a browser one. What a test finds is as if they were fresh: nobody is
enrolled, and its pages are in a context of their own.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from support.app import App
from support.chromium import Chromiums, refuse_microphone, visit

OpenBrowser = Callable[..., Page]
QUIET_WITHIN = 60.0  # s
expect.set_options(timeout=60_000)  # ms; the machine may be busy
_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Keep the outcome where the fixtures' ends can see it."""
    report = yield
    if report.when != "teardown":
        item.stash[_FAILED] = report.failed or item.stash.get(_FAILED, False)
    return report


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app that the tests share."""
    with App(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="package")
def chromiums(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromiums]:
    """The browsers that the tests share."""
    with Chromiums(tmp_path_factory.mktemp("sounds")) as shared:
        yield shared


@pytest.fixture
def app(request: pytest.FixtureRequest, served: App) -> Iterator[App]:
    """The app with an empty gallery; its log is printed where the test fails."""
    served.begin_anew()
    yield served
    if request.node.stash.get(_FAILED, False):
        print(f"--- the server's log ---\n{served.log()}")


@pytest.fixture
def quiet_app(app: App) -> App:
    """The same once nothing of earlier tests goes on in it, for one that counts threads and sockets."""
    deadline = time.monotonic() + QUIET_WITHIN
    while busy := [*app.stream_threads(), *app.analyses() * ["analysis"], *app.stream_sockets() * ["socket"]]:
        assert time.monotonic() < deadline, f"earlier tests leave {busy}"
        time.sleep(0.1)
    return app


@pytest.fixture
def own_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    """An app of the test's own, for one that encrypts its voiceprints or changes its start."""
    with App(tmp_path) as running:
        yield running
        if request.node.stash.get(_FAILED, False):
            print(f"--- the server's log ---\n{running.log()}")


@pytest.fixture
def open_browser(
    request: pytest.FixtureRequest, chromiums: Chromiums, tmp_path: Path
) -> Iterator[OpenBrowser]:
    """`open_browser(samples=None, loop=False, allowed=True) -> Page`: a person's browser.

    Its microphone plays samples [n], or is refused where it is not allowed. The one opened before is closed,
    so that one test can bring several people to the microphone. Where the test fails, a screenshot and the
    text of the last page are kept beside its other files.
    """
    opened: list[BrowserContext] = []

    def open_browser(samples: np.ndarray | None = None, *, loop: bool = False, allowed: bool = True) -> Page:
        if opened:
            opened[-1].close()
        context = visit(chromiums.of(samples, loop=loop, allowed=allowed))
        if not allowed:
            refuse_microphone(context)
        opened.append(context)
        return context.pages[0]

    yield open_browser
    if not opened:
        return
    if opened[-1].pages and request.node.stash.get(_FAILED, False):
        page, picture = opened[-1].pages[-1], tmp_path / "failure.png"
        page.screenshot(path=picture, full_page=True)
        print(f"--- the page, see also {picture} ---\n{page.inner_text('body')}")
    opened[-1].close()
