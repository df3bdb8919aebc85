"""Recordings that coroutines diarize."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, SLOW_MODEL, ends_soon
from libvoiceflow import (
    Cancel,
    CancelledError,
    DeadlineError,
    Diarization,
    Diarizer,
    InvalidArgumentError,
    NotFoundError,
    Stage,
)
from numpy.typing import NDArray


def test_the_loop_goes_on(diarizer: Diarizer, recording: Path, result: Diarization) -> None:
    turns = 0

    async def main() -> list[Diarization]:
        nonlocal turns
        tasks = [asyncio.ensure_future(diarizer.aprocess(recording)) for _ in range(2)]
        while not all(task.done() for task in tasks):
            turns += 1
            await asyncio.sleep(0.01)
        return [task.result() for task in tasks]

    assert asyncio.run(main()) == [result, result] and turns > 5


def test_arrays_and_progress(diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization) -> None:
    told: list[tuple[Stage, float]] = []
    threads = set()

    def progress(stage: Stage, fraction: float) -> None:
        told.append((stage, fraction))
        threads.add(threading.get_ident())

    assert asyncio.run(diarizer.aprocess(audio, RATE, progress=progress)) == result
    assert Stage.ANALYSIS in {stage for stage, _ in told}
    assert len(threads) == 1 and threading.get_ident() not in threads


def test_a_task_that_is_cancelled(audio: NDArray[np.float32]) -> None:
    """The call ends soon, and the diarizer serves the next one."""
    hour = np.tile(audio, 60)

    async def main(diarizer: Diarizer) -> None:
        began = threading.Event()
        task = asyncio.ensure_future(
            diarizer.aprocess(hour, RATE, progress=lambda stage, fraction: began.set())
        )
        while not began.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await diarizer.aprocess(audio[:RATE], RATE)).duration == 1
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(diarizer.aprocess(hour, RATE), 0.2)

    with Diarizer(model_path=SLOW_MODEL, threads=1) as slow:
        ends_soon(lambda: asyncio.run(main(slow)))


def test_errors(diarizer: Diarizer, audio: NDArray[np.float32], tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        asyncio.run(diarizer.aprocess(tmp_path / "none.wav"))
    assert caught.value.filename == str(tmp_path / "none.wav")
    with pytest.raises(InvalidArgumentError, match="sample_rate: expected one with an array"):
        asyncio.run(diarizer.aprocess(audio))
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        asyncio.run(diarizer.aprocess(audio, RATE, cancel=cancel))
    with pytest.raises(DeadlineError):
        asyncio.run(diarizer.aprocess(audio, RATE, deadline_ms=0))


def test_speakers_are_asked_for_by_call(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    async def main() -> list[int]:
        counts = (1, 2, 4)
        made = await asyncio.gather(*(diarizer.aprocess(audio, RATE, num_speakers=n) for n in counts))
        return [len(result.speakers) for result in made]

    assert asyncio.run(main()) == [1, 2, 4]
