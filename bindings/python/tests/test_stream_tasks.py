"""Live audio in an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine

import numpy as np
import pytest
from conftest import PATIENCE_S, RATE, Between, chunks
from libvoiceflow import (
    Cancel,
    CancelledError,
    DeadlineError,
    Diarizer,
    Segment,
    Stream,
    _stream,
)
from numpy.typing import NDArray

# The status of a call that was cancelled.
CANCELLED = -12


def test_async(diarizer: Diarizer, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    """One task pushes, another reads, and the loop goes on meanwhile."""
    goes_on: list[bool] = []

    async def main() -> list[Segment]:
        segments = []
        stream, loop = diarizer.stream(), asyncio.get_running_loop()

        def watch() -> None:
            turn = threading.Event()
            loop.call_soon_threadsafe(turn.set)
            goes_on.append(turn.wait(PATIENCE_S))

        monkeypatch.setattr(_stream, "library", lambda: Between("vf_stream_push_f32", before=watch))

        async def push() -> None:
            for chunk in chunks(audio, 20 * RATE):
                await stream.apush(chunk)
            await stream.afinish()

        pushing = asyncio.create_task(push())
        async for segment in stream:
            segments.append(segment)
        await pushing
        stream.close()
        return segments

    segments = asyncio.run(main())
    monkeypatch.undo()
    with diarizer.stream() as stream:
        expected = [segment for segment in stream.run(chunks(audio, 20 * RATE)) if segment.final]
    assert [segment for segment in segments if segment.final] == expected
    assert goes_on == [True] * 3


def test_async_ends_when_the_stream_is_closed(diarizer: Diarizer) -> None:
    async def main() -> list[Segment]:
        stream = diarizer.stream()
        asyncio.get_running_loop().call_later(0.1, stream.close)
        return [segment async for segment in stream]

    assert asyncio.run(asyncio.wait_for(main(), PATIENCE_S)) == []


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the library answers to pushes."""
    found: list[int] = []
    monkeypatch.setattr(_stream, "library", lambda: Between("vf_stream_push_f32", after=found.append))
    return found


def test_a_cancelled_task_ends_its_push(
    diarizer: Diarizer, audio: NDArray[np.float32], pushed: list[int]
) -> None:
    async def main() -> None:
        stream = diarizer.stream()
        task = asyncio.create_task(stream.apush(np.tile(audio, 40)))
        while stream.updates == 0:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    # The loop's end has waited for the thread.
    assert pushed == [CANCELLED]


def test_a_task_cancelled_at_once_ends_its_push(
    diarizer: Diarizer, audio: NDArray[np.float32], pushed: list[int]
) -> None:
    """Before its thread comes to the library, and with the stream closed while it waits for the
    end."""
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
        pushed.clear()
        asyncio.run(cancelled(stream, stream.apush(long), closes))
        # Where it is closed first, there is no push.
        assert pushed == [CANCELLED] or (closes and pushed == [])
        if not closes:
            # They are taken: the next push has all the work to do.
            with pytest.raises(DeadlineError):
                stream.push([], deadline_ms=50)
            stream.reset()
    stream = diarizer.stream()
    for part in chunks(audio, 10 * RATE):
        stream.push(part)
    asyncio.run(cancelled(stream, stream.afinish(), closes=False))
    assert stream.result is None
    assert len(stream.finish().speakers) == 3


def test_a_cancelled_task_leaves_others_alone(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    """Its push ends while it waits for the other one, and its samples are taken."""

    async def main() -> float:
        stream = diarizer.stream()
        first = asyncio.create_task(stream.apush(np.tile(audio, 3)))
        while stream.updates == 0:
            await asyncio.sleep(0.005)
        second = asyncio.create_task(stream.apush(audio[:RATE]))
        await asyncio.sleep(0.05)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert not first.done()
        await first
        return (await stream.afinish()).duration

    assert asyncio.run(main()) == pytest.approx(3 * len(audio) / RATE + 1)


def test_conditions(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    async def main() -> None:
        stream, cancel = diarizer.stream(), Cancel()
        await stream.apush(audio, cancel=cancel, deadline_ms=600_000)
        cancel.set()
        with pytest.raises(CancelledError):
            await stream.apush(audio, cancel=cancel)
        with pytest.raises(CancelledError):
            await stream.afinish(cancel=cancel)
        assert len((await stream.afinish(num_speakers=2)).speakers) == 2

    asyncio.run(main())


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
    other.run_until_complete(asyncio.wait_for(future, PATIENCE_S))
    other.close()
