"""Processes of this machine, for a folder that one machine is enough for.

Where a worker dies, nobody knows at which of the parts that were with the processes: each of them
is then done in a process of its own, so that the one to blame costs the others nothing more.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from ._errors import BatchError
from ._table import Report, part_name
from ._work import Job, do_part

# How often the part at which a worker dies is tried: in the processes of all; in one of its own
# beside those of others; and by itself, since what it lacked may have been memory.
ATTEMPTS = 3
# Parts that wait for each worker, so that none waits for a part.
AHEAD = 2
# Processes of one part at once.
MOST_BESIDE = 32


def run(job: Job, parts: list[list[str]], workers: int | None, options: list[str]) -> Iterator[Report]:
    """A report on each part, as they are done."""
    if options:
        raise BatchError(f"local: expected no options of an engine, got {' '.join(options)}")
    count = min(workers or len(os.sched_getaffinity(0)), len(parts))
    new = deque(parts)
    suspects: list[list[str]] = []
    while new:
        with _processes(count) as pool:
            try:
                yield from _together(pool, count * AHEAD, job, new, suspects)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    for beside in (min(count, MOST_BESIDE), 1):
        again: list[list[str]] = []
        with ThreadPoolExecutor(beside) as threads:
            reports = threads.map(lambda part: _alone(part, job), suspects)
            for part, report in zip(suspects, reports, strict=True):
                if report is None:
                    again.append(part)
                else:
                    yield report
        suspects = again
    for part in suspects:
        died = f"a worker died {ATTEMPTS} times at one of its recordings, from {part[0]} on"
        yield Report(part_name(part), len(part), error=died)


def _processes(count: int) -> ProcessPoolExecutor:
    # A process that was forked has no use of a diarizer of the one before.
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))


def _together(
    pool: ProcessPoolExecutor, most: int, job: Job, new: deque[list[str]], suspects: list[list[str]]
) -> Iterator[Report]:
    """Reports until all new parts are done, or a worker dies: the parts that were with the pool are
    suspects then."""
    running: dict[Future[Report], list[str]] = {}
    try:
        while new or running:
            while new and len(running) < most:
                running[pool.submit(do_part, new[0], job)] = new[0]
                new.popleft()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                report = future.result()
                del running[future]
                yield report
    except BrokenProcessPool:
        suspects += running.values()


def _alone(part: list[str], job: Job) -> Report | None:
    """The report on a part that has a process of its own; None where that died."""
    with _processes(1) as pool:
        try:
            return pool.submit(do_part, part, job).result()
        except BrokenProcessPool:
            return None
