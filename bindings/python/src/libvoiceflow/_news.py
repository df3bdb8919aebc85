"""Wakes coroutines of any event loop from any thread."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class News:
    """Something that happens again and again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def next(self) -> asyncio.Future[None]:
        """A future of the running loop that is done when `announce` is called."""
        # Here, where it is loaded already: to import it takes longer than all of this package.
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            # Those of readers that gave up.
            self._waiting = [entry for entry in self._waiting if not entry[1].done()]
            self._waiting.append((loop, future))
        return future

    def announce(self) -> None:
        """Wakes all who wait."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            # Another thread may have closed the loop.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_wake, future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
