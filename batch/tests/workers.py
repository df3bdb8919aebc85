"""The recording of the tests, and the processes of any engine that diarize."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from voiceflow_batch._table import Report
from voiceflow_batch._work import Job, do_part

ROOT = Path(__file__).resolve().parents[2]
RECORDING = ROOT / "examples/data/conversation.flac"
PATIENCE_S = 300
# In the name of a recording at which its worker dies.
DEADLY = "deadly"


def do_part_or_die(recordings: list[str], job: Job) -> Report:
    """What a worker does, where a recording can kill it."""
    if any(DEADLY in recording for recording in recordings):
        os._exit(1)
    return do_part(recordings, job)


def _parents() -> dict[int, int]:
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            # The name, in brackets, may hold anything.
            found[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return found


def descendants(of: int) -> Iterator[int]:
    """All processes below one."""
    parents = _parents()
    for process in parents:
        above = process
        while above := parents.get(above, 0):
            if above == of:
                yield process
                break


def diarizing() -> list[int]:
    """Processes below this one that have loaded the library."""
    found = []
    for process in descendants(os.getpid()):
        try:
            if "libvoiceflow.so" in Path(f"/proc/{process}/maps").read_text():
                found.append(process)
        except OSError:
            continue
    return found


def wait_until(what: str, holds: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_S, what
        time.sleep(0.02)


def kill_one(table_has_begun: Callable[[], bool]) -> int:
    """Kills a worker once the table has a part, and others are under way."""
    wait_until("a part is done", table_has_begun)
    wait_until("a worker is at work", lambda: bool(diarizing()))
    victim = diarizing()[0]
    os.kill(victim, signal.SIGKILL)
    return victim
