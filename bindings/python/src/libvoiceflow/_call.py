"""Calls of the library and the life of the interpreter.

A long call of the main thread runs on a thread of its own while the main thread waits for it.
Python handles signals, Ctrl-C among them, on the main thread only and between its own instructions:
in a callback from C the exception would be lost, and inside a call no signal would be handled. The
waiting thread handles them all, ends the call, and raises what came. It also calls the progress
callback, which may so use the library itself.

Each call has a switch of its own, which Ctrl-C, a cancelled task and the end of the interpreter
set, and the library together with the `Cancel` of the caller: that one may be for other calls too,
and stays set.

Before the interpreter ends, all calls are ended: a thread that comes back from the library then
would be torn down in the middle of it.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from . import _abi
from ._conditions import Conditions
from ._enums import Stage
from ._errors import ExitingError, raise_kept
from ._handle import destroy_postponed, inside
from ._library import check, library

# How long the end of the interpreter waits for calls; a network at work ends within milliseconds.
_EXIT_S = 10.0

Result = TypeVar("Result")

# Calls under way. Adding and discarding are atomic.
_under_way: set[object] = set()
_exiting = False
# Gets an entry for each call that ends while the interpreter does.
_ended: SimpleQueue[None] = SimpleQueue()


def _begin(call: object) -> None:
    # In this order: the end of the interpreter sees the call, or the call sees the end.
    _under_way.add(call)
    if _exiting:
        _under_way.discard(call)
        raise ExitingError("the interpreter is about to end: expected calls of libvoiceflow before")


def _end(call: object) -> None:
    _under_way.discard(call)
    if _exiting:
        _ended.put(None)


class ShortCall:
    """Marks a call on the thread of its caller: `with ShortCall(): …`."""

    __slots__ = ()

    def __enter__(self) -> None:
        _begin(self)

    def __exit__(self, *_: object) -> None:
        _end(self)


class LongCall(Generic[Result]):
    """One call that Ctrl-C ends."""

    def __init__(self, work: Callable[[Any], Result], conditions: Conditions) -> None:
        """`work` makes the call, and gets the pointer to its conditions."""
        self._work = work
        self._conditions = conditions
        self._progress = conditions.progress
        self._switch = conditions.switch()
        self._stopped = False
        # Whether the call is made on the thread that asks for it.
        self._here = False
        self._reports: SimpleQueue[tuple[int, float] | None] = SimpleQueue()
        self._reported: SimpleQueue[None] = SimpleQueue()
        self._result: list[Result] = []
        self.error: BaseException | None = None
        self._done = False
        # Taken by the thread that makes the call, or by one that gave it up before: none makes it
        # then.
        self._turn = threading.Lock()

    def run(self) -> Result:
        """Makes the call; raises its error, or what the waiting thread meets."""
        try:
            _begin(self)
            self._start()
            self._wait()
        except BaseException:
            self._give_up()
            raise
        raise_kept(self)
        return self._result.pop()

    def stop(self) -> None:
        """Ends the call soon, also one that has not begun."""
        self._stopped = True
        check(library().vf_cancel_set(self._switch.pointer))

    def report(self, stage: int, fraction: float) -> None:
        """The progress callback of the library, on the thread of the call."""
        if self._stopped or self._progress is None:
            return
        if not self._here:
            self._reports.put((stage, fraction))
            self._reported.get()
            return
        try:
            self._progress(Stage(stage), fraction)
        except BaseException as error:
            self.error = error
            self.stop()

    def _start(self) -> None:
        # No other thread than the main one handles signals while it waits.
        self._here = self._progress is None and threading.get_ident() != threading.main_thread().ident
        if not self._here:
            try:
                threading.Thread(target=self._run, name="voiceflow-call", daemon=True).start()
                return
            except RuntimeError:
                # There are too many threads, or the interpreter calls what was registered for its
                # end.
                self._here = True
        self._run()

    def _run(self) -> None:
        if not self._turn.acquire(blocking=False):
            return
        # Where no thread can be made, a progress may make a call inside this one.
        outer = getattr(inside, "call", None)
        inside.call = self
        try:
            report = None if self._progress is None else _report_of_c
            self._result.append(self._work(self._conditions.pointer(self._switch, report)))
        except BaseException as error:
            # What the progress met is why the call was cancelled.
            self.error = self.error or error
        finally:
            inside.call = outer
            destroy_postponed()
            _end(self)
            self._done = True
            self._reports.put(None)

    def _wait(self) -> None:
        """Reports the progress, until the call has ended."""
        while (report := self._reports.get()) is not None:
            assert self._progress is not None
            self._progress(Stage(report[0]), report[1])
            self._reported.put(None)

    def _give_up(self) -> None:
        """Ends the call and waits for its end."""
        # Ctrl-C in `Thread.start` leaves unknown whether there will be a thread.
        if self._here or self._turn.acquire(blocking=False):
            _end(self)
            return
        self.stop()
        # One report may have been on its way before.
        self._reported.put(None)
        while not self._done:
            self._reports.get()


def make(work: Callable[[Any], Result], conditions: Conditions | None, *, long: bool) -> Result:
    """Makes a call: a short one on this thread, one that is long or reports progress as a
    `LongCall`."""
    if long or (conditions is not None and conditions.progress is not None):
        return LongCall(work, conditions or Conditions({})).run()
    with ShortCall():
        return work(None if conditions is None else conditions.for_short())


def _report(_user_data: int | None, stage: int, fraction: float) -> None:
    """The progress callback of every call, on the thread that made it."""
    inside.callback = True
    try:
        call: LongCall[object] = inside.call
        call.report(stage, fraction)
    finally:
        inside.callback = False


_report_of_c = _abi.PROGRESS(_report)


def _end_all() -> None:
    """Ends all calls; none begins any more."""
    global _exiting
    _exiting = True
    until = time.monotonic() + _EXIT_S
    for call in tuple(_under_way):
        if isinstance(call, LongCall):
            call.stop()
    while _under_way:
        try:
            _ended.get(timeout=max(until - time.monotonic(), 0))
        except Empty:
            return


atexit.register(_end_all)
# The threads of the parent, and with them its calls, are not in a child.
os.register_at_fork(after_in_child=_under_way.clear)
