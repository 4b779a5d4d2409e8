"""A folder of recordings worked through by a Ray cluster, whose workers see it at the same path."""

import logging
import secrets
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from typing import Any

from speakerid.commands.batch import AHEAD, Job, Outcome, Outcomes, Work, done
from speakerid.errors import SpeakerIdError

_works: dict[str, Work] = {}
"""In a worker of a Ray cluster, by the run that it was made for; one at a time."""


def on_ray(address: str, job: Job, paths: Sequence[str]) -> Outcomes:
    """By the workers of a Ray cluster, which begins anew elsewhere what was under way on a node that died.

    What Ray tells of its nodes goes to standard error: it prints it into the result otherwise.

    Raises:
        SpeakerIdError: Ray is not installed, or no cluster is there.
    """
    with redirect_stdout(sys.stderr):
        yield from _on_ray(address, job, paths)


def _on_ray(address: str, job: Job, paths: Sequence[str]) -> Outcomes:
    try:
        import ray  # pyright: ignore[reportMissingImports]
        from ray.exceptions import RayError  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise SpeakerIdError("A Ray cluster needs a package: run pip install 'speakerid[ray]'.") from error
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.WARNING)
    except (ConnectionError, RayError, ValueError) as error:
        raise SpeakerIdError(
            f'There is no Ray cluster at "{address}" ({error}): check the address.'
        ) from error
    run, shared = secrets.token_hex(8), [ray.put(job)]  # in a list it is fetched once a worker, not a task

    @ray.remote(num_cpus=1, max_retries=5)
    def work(job: list[Any], path: str) -> Outcome:
        if run not in _works:
            _works.clear()
            fetched: Job = ray.get(job[0])
            _works[run] = fetched.make(*fetched.given)
        return done(_works[run], path)

    waiting = iter(paths)
    running: dict[Any, str] = {}
    try:
        while True:
            most = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
            for path in waiting:
                running[work.remote(shared, path)] = path
                if len(running) >= most:
                    break
            if not running:
                return
            ready, _ = ray.wait([*running])
            for one in ready:
                path = running.pop(one)
                try:
                    yield ray.get(one)
                except RayError as error:
                    yield Outcome(path, why=f"the cluster gave it up ({type(error).__name__})")
    finally:
        for one in running:
            with suppress(RayError):
                ray.cancel(one, force=True)
        ray.shutdown()  # or it would go on to tell of its nodes
