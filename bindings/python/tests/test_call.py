"""Calls on threads of their own, where the thread that asks for one is interrupted or there is none."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from conftest import PATIENCE_S, RATE
from numpy.typing import NDArray
from voiceflow import Diarizer, InvalidArgumentError, Stage, _call
from voiceflow._call import LongCall


def test_ctrl_c_while_the_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that began nevertheless is ended and waited for, though told to end before it could hear."""
    real, entered, told, begun, ended = threading.Thread.start, *(threading.Event() for _ in range(4))
    done: list[bool] = []

    def work() -> None:
        entered.set()
        assert told.wait(PATIENCE_S)
        begun.set()
        done.append(ended.wait(PATIENCE_S))

    def end() -> None:
        # As the library, which ends what has begun.
        if begun.is_set():
            ended.set()
        told.set()

    def start(thread: threading.Thread) -> None:
        real(thread)
        assert entered.wait(PATIENCE_S)
        raise KeyboardInterrupt

    call = LongCall(work, end=end)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            call.run()
    assert done == [True] and call not in _call._under_way


def test_ctrl_c_before_the_thread_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes no call that nobody waits for."""
    real, threads, calls = threading.Thread.start, [], []

    def start(thread: threading.Thread) -> None:
        threads.append(thread)
        raise KeyboardInterrupt

    call = LongCall(lambda: calls.append(1))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            call.run()
    assert call not in _call._under_way
    real(threads[0])
    threads[0].join()
    assert calls == []


def test_a_call_in_the_progress_of_one_without_a_thread(
    diarizer: Diarizer, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, and the outer one goes on telling its progress."""
    refused: list[float] = []

    def progress(stage: Stage, fraction: float) -> None:
        if stage is Stage.ANALYSIS:
            with pytest.raises(InvalidArgumentError, match="callback"):
                diarizer.process(audio[:RATE], RATE)
            refused.append(fraction)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    diarizer.process(audio, RATE, progress=progress)
    assert len(refused) > 1
