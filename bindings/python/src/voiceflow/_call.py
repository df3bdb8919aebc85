"""Calls of the library and the life of the interpreter.

A long call runs on a thread of its own while the thread that asks for it waits. Python handles signals,
Ctrl-C among them, on the main thread only and between its own instructions: in a callback from C an exception
would be lost, and inside a call nothing would be heard. The waiting thread hears all, ends the call, and
raises what it heard.

Before the interpreter ends, all calls are ended: a thread that comes back from the library then would be torn
down in the middle of it.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

import numpy as np

from . import _abi
from ._cancel import Cancel
from ._enums import Stage
from ._errors import ExitingError
from ._handle import destroy_postponed, inside

# How soon a call ends after its `Cancel` was set, and how often it is told so.
POLL_S = 0.02
# How long the end of the interpreter waits for calls; a network at work ends within milliseconds.
_EXIT_S = 10.0

Progress = Callable[[Stage, float], object]
"""Told how far a call is, with a fraction from 0 to 1 of the stage; returning False cancels the call."""

Result = TypeVar("Result")

# Calls under way. Adding and discarding are atomic.
_under_way: set[object] = set()
_exiting = False


class ShortCall:
    """Marks a call on the thread of its caller: `with ShortCall(): …`."""

    __slots__ = ()

    def __enter__(self) -> None:
        if _exiting:
            raise _refusal()
        _under_way.add(self)

    def __exit__(self, *_: object) -> None:
        _under_way.discard(self)


class LongCall(Generic[Result]):
    """One call on a thread of its own."""

    def __init__(
        self,
        work: Callable[[], Result],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        end: Callable[[], object] | None = None,
    ) -> None:
        """`work` makes the call, with the callback `answer` where it takes one; `end` ends it otherwise."""
        self._work = work
        self._progress = progress
        self._cancel = cancel
        self._end = end
        self._stopped = False
        # Whether the call is made on the thread that asks for it.
        self._here = False
        self._told: SimpleQueue[tuple[int, float] | None] = SimpleQueue()
        self._answers: SimpleQueue[bool] = SimpleQueue()
        self._result: list[Result] = []
        self._error: BaseException | None = None
        # Taken by the thread that makes the call, or by one that gave it up before: none makes it then.
        self._turn = threading.Lock()

    def run(self) -> Result:
        """Makes the call; raises its error, or what the waiting thread meets."""
        if _exiting:
            raise _refusal()
        _under_way.add(self)
        try:
            self._start()
            self._wait()
        except BaseException:
            self._give_up()
            raise
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                # The traceback refers to this frame.
                del error
        return self._result.pop()

    def stop(self) -> None:
        """Asks the call to end."""
        self._stopped = True
        if self._end is not None:
            self._end()

    def goes_on(self, stage: int, fraction: float) -> bool:
        """The answer to the library's progress callback, on the thread of the call."""
        if self._stopped or (self._cancel is not None and self._cancel.is_set):
            return False
        if self._progress is None:
            return True
        if self._here:
            return self._ask(stage, fraction)
        self._told.put((stage, fraction))
        return self._answers.get()

    def _start(self) -> None:
        try:
            threading.Thread(target=self._run, name="voiceflow-call", daemon=True).start()
        except RuntimeError:
            # There are too many threads, or the interpreter calls what was registered for its end.
            self._here = True
            self._run()

    def _ask(self, stage: int, fraction: float) -> bool:
        """Tells the progress on the thread of the call."""
        assert self._progress is not None
        try:
            return not _is_false(self._progress(Stage(stage), fraction))
        except BaseException as error:
            self._error = error
            return False

    def _run(self) -> None:
        if not self._turn.acquire(blocking=False):
            return
        # Where no thread can be made, a progress may make a call inside this one.
        outer = getattr(inside, "call", None)
        inside.call = self
        try:
            self._result.append(self._work())
        except BaseException as error:
            # What the progress met is why the call was cancelled.
            self._error = self._error or error
        finally:
            inside.call = outer
            destroy_postponed()
            _under_way.discard(self)
            self._told.put(None)

    def _wait(self) -> None:
        """Tells the progress, until the call has ended."""
        # A call that asks for progress looks at its `Cancel` itself.
        timeout = POLL_S if self._cancel is not None and self._end is not None else None
        while True:
            try:
                told = self._told.get(timeout=timeout)
            except Empty:
                if self._cancel is not None and self._cancel.is_set:
                    self.stop()
                continue
            if told is None:
                return
            assert self._progress is not None
            self._answers.put(not _is_false(self._progress(Stage(told[0]), told[1])))

    def _give_up(self) -> None:
        """Ends the call and waits for its end."""
        # Ctrl-C in `Thread.start` leaves unknown whether there will be a thread.
        if self._here or self._turn.acquire(blocking=False):
            _under_way.discard(self)
            return
        self.stop()
        self._answers.put(False)
        while True:
            try:
                if self._told.get(timeout=POLL_S) is None:
                    return
            except Empty:
                # The call may have begun after it was told to end.
                self.stop()


def _is_false(answer: object) -> bool:
    return isinstance(answer, (bool, np.bool_)) and not answer


def _answer(_user_data: int | None, stage: int, fraction: float) -> int:
    """The progress callback of every call, on the thread that made it."""
    inside.callback = True
    try:
        call: LongCall[object] = inside.call
        return 0 if call.goes_on(stage, fraction) else 1
    finally:
        inside.callback = False


answer = _abi.PROGRESS(_answer)


def _refusal() -> ExitingError:
    return ExitingError("the interpreter is about to end: expected calls of voiceflow before")


def _end_all() -> None:
    """Ends all calls; none begins any more."""
    global _exiting
    _exiting = True
    until = time.monotonic() + _EXIT_S
    while _under_way and time.monotonic() < until:
        for call in list(_under_way):
            if isinstance(call, LongCall):
                call.stop()
        time.sleep(POLL_S / 4)


atexit.register(_end_all)
# The threads of the parent, and with them its calls, are not in a child.
os.register_at_fork(after_in_child=_under_way.clear)
