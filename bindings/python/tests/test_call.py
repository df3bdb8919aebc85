"""Calls on threads of their own, where the thread that asks for one is interrupted or there is
none."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from conftest import PATIENCE_S, RATE
from libvoiceflow import Cancel, CancelledError, Diarizer, InvalidArgumentError, Stage, _call
from libvoiceflow._call import LongCall
from libvoiceflow._conditions import Conditions
from numpy.typing import NDArray


def test_ctrl_c_while_the_thread_starts(
    diarizer: Diarizer, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that began nevertheless is ended and waited for, though not come to the library
    before."""
    real, entered, process = threading.Thread.start, threading.Event(), diarizer._work(audio, RATE)
    ended: list[bool] = []

    def work(conditions: object) -> None:
        entered.set()
        until = time.monotonic() + PATIENCE_S
        while not call._stopped and time.monotonic() < until:
            time.sleep(0.001)
        with pytest.raises(CancelledError):
            process(conditions)
        ended.append(True)

    def start(thread: threading.Thread) -> None:
        real(thread)
        assert entered.wait(PATIENCE_S)
        raise KeyboardInterrupt

    call = LongCall(work, Conditions({}))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            call.run()
    assert ended == [True] and call not in _call._under_way


def test_ctrl_c_before_the_thread_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes no call that nobody waits for."""
    real, threads, calls = threading.Thread.start, [], []

    def start(thread: threading.Thread) -> None:
        threads.append(thread)
        raise KeyboardInterrupt

    call = LongCall(lambda conditions: calls.append(1), Conditions({}))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            call.run()
    assert call not in _call._under_way
    real(threads[0])
    threads[0].join()
    assert calls == []


def test_ctrl_c_right_after_the_end(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    """Of a call whose end was seen: nobody waits for it once more."""

    class Reports(_call.SimpleQueue):  # type: ignore[type-arg]
        def get(self, *arguments: object) -> object:
            report = super().get(*arguments)  # type: ignore[arg-type]
            if report is None:
                raise KeyboardInterrupt
            return report

    call = LongCall(diarizer._work(audio[:RATE], RATE), Conditions({}))
    call._reports = Reports()
    with pytest.raises(KeyboardInterrupt):
        call.run()
    assert call not in _call._under_way


def test_other_threads_make_their_calls_themselves(
    diarizer: Diarizer, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they have no progress to report: no signal is handled there."""
    started: list[str] = []
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        started.append(thread.name)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)

    def work() -> None:
        cancel = Cancel()
        diarizer.process(audio[:RATE], RATE, cancel=cancel)
        cancel.set()
        with pytest.raises(CancelledError):
            diarizer.process(audio, RATE, cancel=cancel)
        done.append(True)

    done: list[bool] = []
    thread = threading.Thread(target=work, name="other")
    thread.start()
    thread.join()
    assert (started, done) == (["other"], [True])


def test_a_call_in_the_progress_of_one_without_a_thread(
    diarizer: Diarizer, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, and the outer one goes on reporting its progress."""
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
