"""Processes of this machine, for a folder that one machine is enough for."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from ._errors import BatchError
from ._table import Report, part_name
from ._work import Job, do_part

# How often the part at which a worker dies is tried.
ATTEMPTS = 3
# Parts that wait for each worker, so that none waits for a part.
AHEAD = 2


def run(job: Job, parts: list[list[str]], workers: int | None, options: list[str]) -> Iterator[Report]:
    """A report on each part, as they are done."""
    if options:
        raise BatchError(f"local: expected no options of an engine, got {' '.join(options)}")
    count = min(workers or len(os.sched_getaffinity(0)), len(parts))
    left = {part_name(part): part for part in parts}
    attempts = dict.fromkeys(left, 0)
    while left:
        # A process that was forked has no use of a diarizer of the one before.
        with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
            try:
                for report in _in_pool(pool, count * AHEAD, job, left, attempts):
                    del left[report.part]
                    yield report
            except BrokenProcessPool:
                for name in [name for name, tried in attempts.items() if tried >= ATTEMPTS and name in left]:
                    first = left[name][0]
                    died = f"a worker died {ATTEMPTS} times at one of its recordings, from {first} on"
                    yield Report(name, len(left.pop(name)), error=died)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _in_pool(
    pool: ProcessPoolExecutor, most: int, job: Job, left: dict[str, list[str]], attempts: dict[str, int]
) -> Iterator[Report]:
    """Reports until all parts are done, or a worker dies: the parts that were with the pool then
    count one attempt more."""
    waiting = iter(list(left.items()))
    running: dict[Future[Report], str] = {}
    try:
        while True:
            while len(running) < most and (following := next(waiting, None)):
                running[pool.submit(do_part, following[1], job)] = following[0]
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                report = future.result()
                del running[future]
                yield report
    except BrokenProcessPool:
        for name in running.values():
            attempts[name] += 1
        raise
