"""Archives: a folder of recordings worked through by all processors of this computer, or by a Ray cluster.

Each recording has one result, a file in the folder of results at the recording's own path there. It appears
whole or not at all, so work that was interrupted goes on where it was, and a recording that fails, or the
process that it takes along, costs itself alone.
"""

import argparse
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speakerid.commands.common import Progress, answer, written
from speakerid.errors import SpeakerIdError

Work = Callable[[str], bytes]
"""What is done with one recording, by its path: the content of its result."""

Outcomes = Generator["Outcome", None, None]
AHEAD = 2  # recordings a worker that wait for it, so that it never waits for us


@dataclass(frozen=True)
class Job:
    """What a worker needs to know; it goes to other processes and computers.

    Attributes:
        make: called once in each worker with `given`; what it returns does the work.
        suffix: of a result's name.
    """

    make: Callable[..., Work]
    given: tuple[Any, ...]
    suffix: str


@dataclass(frozen=True)
class Outcome:
    """What came of one recording: its result, or why there is none."""

    path: str
    content: bytes = b""
    why: str = ""


def add_options(parser: argparse.ArgumentParser, what: str) -> None:
    """The options of a command that takes a folder of recordings."""
    group = parser.add_argument_group("a folder of recordings in place of FILE")
    group.add_argument("--processes", metavar="N", type=int, help="processes (default: one a processor)")
    group.add_argument(
        "--ray", metavar="ADDRESS", help=f"{what} on a Ray cluster, which reads FOLDER at the same path"
    )


def run(args: argparse.Namespace, folder: Path, out: Path, job: Job) -> None:
    """Work through a folder, and say how it went.

    Raises:
        SpeakerIdError: there is no recording in it, results cannot be written, or some recordings failed.
    """
    from speakerid.commands.on_ray import on_ray

    if args.processes is not None and args.processes < 1:
        raise SpeakerIdError(f"--processes is {args.processes}: give at least 1.")
    every = recordings_in(folder)
    if not every:
        raise SpeakerIdError(f'There is no recording in "{folder}": name a folder with sound files.')
    result = {path: out / f"{path.relative_to(folder)}{job.suffix}" for path in every}
    todo = [path for path in every if not result[path].exists()]
    failed: dict[str, str] = {}
    sizes = {str(path): path.stat().st_size + 1 for path in todo}
    done_bytes, total, began = 0, sum(sizes.values()), time.monotonic()
    outcomes = on_ray(args.ray, job, [*sizes]) if args.ray else _here(args.processes, job, [*sizes])
    with closing(outcomes), Progress() as progress:
        for number, one in enumerate(outcomes, 1):
            if one.why:
                failed[one.path] = one.why
            else:
                _write(result[Path(one.path)], one.content)
            done_bytes += sizes[one.path]
            share = done_bytes / total
            left = (time.monotonic() - began) * (1 - share) / share
            progress.show(f"{number} of {len(todo)} recordings ({share:.0%}), {_clock(left)} left")
    _tell(args, len(every), len(every) - len(todo), failed, out)


def recordings_in(folder: Path) -> list[Path]:
    """The sound files of a folder and of those in it, by their names.

    Raises:
        SpeakerIdError: it cannot be read.
    """
    from speakerid.audio.kinds import EXTENSIONS

    def unreadable(error: OSError) -> None:
        raise SpeakerIdError(f'"{error.filename}" cannot be read ({error.strerror}): check its permissions.')

    found: list[Path] = []
    for top, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(top, name)
            for name in sorted(files)
            if not name.startswith(".") and Path(name).suffix.lower()[1:] in EXTENSIONS
        ]
    return found


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpeakerIdError(
            f'"{path.parent}" cannot be made ({error.strerror}): choose another place for the results.'
        ) from error
    with written(path, "wb") as file:
        file.write(content)


def _tell(args: argparse.Namespace, count: int, before: int, failed: dict[str, str], out: Path) -> None:
    value = {"out": str(out), "recordings": count, "done_before": before, "failed": failed}
    lines = [f"{path}: {why}" for path, why in failed.items()]
    whole = f'{count - len(failed)} of {count} results are in "{out}"'
    lines.append(whole + (f", {before} of them from before." if before else "."))
    answer(args, value, "\n".join(lines))
    if failed:
        raise SpeakerIdError(
            f"{len(failed)} of {count} recordings failed, see above: put them right and run it again; "
            "what is done is not done twice."
        )


def _clock(seconds: float) -> str:
    from speakerid.conversation.entry import clock

    return clock(seconds)


# The workers.


_work: Work | None = None


def _begin(job: Job) -> None:
    """In a new process: Ctrl-C is the business of the one that began it."""
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _work = job.make(*job.given)


def _do(path: str) -> Outcome:
    assert _work is not None
    return done(_work, path)


def done(work: Work, path: str) -> Outcome:
    """Do it; whatever goes wrong is the outcome of this one recording."""
    try:
        return Outcome(path, work(path))
    except SpeakerIdError as error:
        return Outcome(path, why=str(error))
    except Exception as error:  # of a library, about what is in the file
        return Outcome(path, why=f"it cannot be worked on ({type(error).__name__}: {error})")


def _here(processes: int | None, job: Job, paths: Sequence[str]) -> Outcomes:
    """By processes of this computer. One that dies takes along the recordings that were under way: each of
    these is tried once more, alone, and fails only if it does that again."""
    count = min(processes or os.cpu_count() or 1, max(len(paths), 1))
    suspects: list[str] = []
    yield from _pooled(count, job, paths, suspects)
    for path in suspects:
        again: list[str] = []
        yield from _pooled(1, job, [path], again)
        if again:
            yield Outcome(path, why="the process that worked on it died, twice; its memory may not suffice")


def _pooled(count: int, job: Job, paths: Sequence[str], suspects: list[str]) -> Outcomes:
    waiting = iter(paths)
    left = len(paths)
    while left:
        pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin, (job,))
        running: dict[Future[Outcome], str] = {}
        try:
            broken = False
            while not broken:
                for path in waiting:
                    try:
                        running[pool.submit(_do, path)] = path
                    except BrokenProcessPool:
                        suspects.append(path)
                        left -= 1
                    if len(running) >= AHEAD * count:
                        break
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    path = running.pop(future)
                    try:
                        yield future.result()
                        left -= 1
                    except BrokenProcessPool:
                        broken = True
                        suspects.append(path)
                        left -= 1
            suspects += running.values()
            left -= len(running)
        except BaseException:
            for process in (pool._processes or {}).values():  # Python 3.14 has kill_workers
                process.kill()
            raise
        finally:
            pool.shutdown(cancel_futures=True)  # and wait: a pool that is left to the exit may fail there
