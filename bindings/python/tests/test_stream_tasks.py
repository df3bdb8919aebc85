"""Live audio in an event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine

import numpy as np
import pytest
from conftest import RATE, chunks
from numpy.typing import NDArray
from voiceflow import (
    CancelledError,
    Diarizer,
    Segment,
    Stream,
)


def test_async(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    """One task pushes, another reads, and the loop is never blocked for long."""

    async def main() -> tuple[list[Segment], float]:
        longest, last, segments = 0.0, time.monotonic(), []
        stream = diarizer.stream()

        async def tick() -> None:
            nonlocal longest, last
            while True:
                await asyncio.sleep(0.005)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()

        async def push() -> None:
            for chunk in chunks(audio, 20 * RATE):
                await stream.apush(chunk)
            await stream.afinish()

        ticking, pushing = asyncio.create_task(tick()), asyncio.create_task(push())
        async for segment in stream:
            segments.append(segment)
        await pushing
        ticking.cancel()
        stream.close()
        return segments, longest

    segments, longest = asyncio.run(main())
    with diarizer.stream() as stream:
        expected = [segment for segment in stream.run(chunks(audio, 20 * RATE)) if segment.final]
    assert [segment for segment in segments if segment.final] == expected
    assert longest < 0.5


def test_async_ends_when_the_stream_is_closed(diarizer: Diarizer) -> None:
    async def main() -> list[Segment]:
        stream = diarizer.stream()
        asyncio.get_running_loop().call_later(0.1, stream.close)
        return [segment async for segment in stream]

    assert asyncio.run(asyncio.wait_for(main(), 10)) == []


def test_a_cancelled_task_ends_its_push(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    async def main() -> float:
        stream = diarizer.stream()
        task = asyncio.create_task(stream.apush(np.tile(audio, 40)))
        await asyncio.sleep(0.2)
        start = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return start

    start = asyncio.run(main())
    # The loop's end has waited for the thread.
    assert time.monotonic() - start < 2


def test_a_task_cancelled_at_once_ends_its_push(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    """Before its thread comes to the library, and with the stream closed while it waits for the end."""
    long = np.tile(audio, 40)

    async def cancelled(stream: Stream, call: Coroutine[object, object, object], closes: bool) -> None:
        task = asyncio.create_task(call)
        await asyncio.sleep(0)
        task.cancel()
        if closes:
            asyncio.get_running_loop().call_soon(stream.close)
        with pytest.raises(asyncio.CancelledError):
            await task

    for closes in (False, True):
        stream = diarizer.stream()
        start = time.monotonic()
        asyncio.run(cancelled(stream, stream.apush(long), closes))
        assert time.monotonic() - start < 2
        if not closes:
            # They are taken: the next push has all the work to do.
            with pytest.raises(CancelledError):
                threading.Timer(0.3, stream.cancel).start()
                stream.push([])
            stream.reset()
    stream = diarizer.stream()
    for part in chunks(audio, 10 * RATE):
        stream.push(part)
    asyncio.run(cancelled(stream, stream.afinish(), closes=False))
    assert stream.result is None
    assert len(stream.finish().speakers) == 3


def test_a_loop_that_was_closed_keeps_nobody_waiting(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the push that wakes its reader, and not the readers in other loops."""

    async def wait() -> asyncio.Future[None]:
        return stream._news.next()

    closed, other = asyncio.new_event_loop(), asyncio.new_event_loop()
    closed.run_until_complete(wait())
    future = other.run_until_complete(wait())
    closed.close()
    # Closed right after somebody looked.
    monkeypatch.setattr(closed, "is_closed", lambda: False)
    stream.push(np.zeros(9, np.float32))
    other.run_until_complete(asyncio.wait_for(future, 10))
    other.close()
