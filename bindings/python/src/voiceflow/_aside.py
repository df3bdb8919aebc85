"""Calls for coroutines: on a thread of the event loop's executor, ended when their task is cancelled."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from ._call import POLL_S

Result = TypeVar("Result")


async def aside(end: Callable[[], object], function: Callable[..., Result], *arguments: object) -> Result:
    """The result of a function on a thread. When the task is cancelled, `end` is called until it ends."""
    # Here, where it is loaded already: to import it takes longer than all of this package.
    import asyncio

    begun = False

    def work() -> Result:
        nonlocal begun
        begun = True
        return function(*arguments)

    # A future, not a task, which the end of the loop would cancel while the thread works.
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    future = loop.run_in_executor(None, lambda: context.run(work))
    try:
        await asyncio.wait([future])
    except asyncio.CancelledError:
        while not future.done():
            # The thread may not have come to the call of the library that is to be ended.
            if begun:
                end()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future], timeout=POLL_S)
        # Its error is known to nobody else, and asyncio would complain.
        future.exception()
        raise
    return future.result()
