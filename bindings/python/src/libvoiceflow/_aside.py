"""Calls for coroutines: on a thread of the event loop's executor, ended when their task is
cancelled."""

from __future__ import annotations

import contextvars
from contextlib import suppress

from ._call import LongCall, Result


async def aside(call: LongCall[Result]) -> Result:
    """The result of a call that a thread makes. Where the task is cancelled, the call ends
    first."""
    # Here, where it is loaded already: to import it takes longer than all of this package.
    import asyncio

    # A future, not a task, which the end of the loop would cancel while the thread works.
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    future = loop.run_in_executor(None, lambda: context.run(call.run))
    try:
        await asyncio.wait([future])
    except asyncio.CancelledError:
        # Also one that has not begun: its samples are taken nevertheless.
        call.stop()
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        # Where nobody asks for its error, asyncio complains.
        future.exception()
        raise
    return future.result()
