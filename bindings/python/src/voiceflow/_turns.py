"""Which calls of one stream are under way, and the order of its finishes and resets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Call:
    """One call. A class of its own, since a generator would take longer than all else of a small push."""

    __slots__ = ("_calls",)

    def __init__(self, calls: set[object]) -> None:
        self._calls = calls

    def __enter__(self) -> bool:
        self._calls.add(self)
        return len(self._calls) > 1

    def __exit__(self, *_: object) -> None:
        self._calls.discard(self)


class Turns:
    """The calls of one stream."""

    def __init__(self) -> None:
        # Adding and discarding are atomic.
        self._calls: set[object] = set()
        self._telling: set[int] = set()
        self._changed = threading.Condition()
        self._finishes = 0
        self._resetting = False

    def call(self) -> Call:
        """Around a call; gives whether it may have to wait for another one."""
        return Call(self._calls)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Around a finish whose progress is told on this thread."""
        thread = threading.get_ident()
        self._telling.add(thread)
        try:
            yield
        finally:
            self._telling.discard(thread)

    @property
    def is_telling(self) -> bool:
        """Whether this thread is in the progress callback of a finish."""
        return threading.get_ident() in self._telling

    @contextmanager
    def finish(self) -> Iterator[None]:
        """Around a finish and what comes of it: no reset comes between them."""
        with self._changed:
            self._changed.wait_for(lambda: not self._resetting)
            self._finishes += 1
        try:
            yield
        finally:
            with self._changed:
                self._finishes -= 1
                self._changed.notify_all()

    @contextmanager
    def reset(self) -> Iterator[None]:
        """Around a reset, which waits for finishes; others wait for it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._resetting and self._finishes == 0)
            self._resetting = True
        try:
            yield
        finally:
            with self._changed:
                self._resetting = False
                self._changed.notify_all()
