"""Which calls of one object are under way: what may have to wait is a call that Ctrl-C ends."""

from __future__ import annotations

import threading

from ._conditions import Progress
from ._enums import Stage
from ._errors import InvalidArgumentError


class Calls:
    """The calls of one object, of which no more than `room` go on at once."""

    def __init__(self, room: int = 1) -> None:
        self._room = room
        # Adding and discarding are atomic.
        self._under_way: set[object] = set()
        # Threads in a progress callback of these calls.
        self._reporting: set[int] = set()

    def call(self) -> Call:
        """Around a call; gives whether it may have to wait for another one."""
        return Call(self._under_way, self._room)

    def reported(self, progress: Progress) -> Progress:
        """`progress`, with the thread marked that it is called on."""

        def report(stage: Stage, fraction: float) -> None:
            thread = threading.get_ident()
            self._reporting.add(thread)
            try:
                progress(stage, fraction)
            finally:
                self._reporting.discard(thread)

        return report

    def check(self, what: str) -> None:
        """Refuses the call `what` in a progress callback: it would wait for the call that waits for
        it."""
        if threading.get_ident() in self._reporting:
            raise InvalidArgumentError(f"{what}: expected outside a progress callback of this stream")


class Call:
    """One call. A class of its own, since a generator would take longer than all else of a small
    push."""

    __slots__ = ("_room", "_under_way")

    def __init__(self, under_way: set[object], room: int) -> None:
        self._under_way, self._room = under_way, room

    def __enter__(self) -> bool:
        self._under_way.add(self)
        return len(self._under_way) > self._room

    def __exit__(self, *_: object) -> None:
        self._under_way.discard(self)
