"""One stream and several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from conftest import PATIENCE_S, RATE, Between, chunks
from libvoiceflow import (
    Cancel,
    CancelledError,
    DeadlineError,
    Diarization,
    InvalidArgumentError,
    Stage,
    Stream,
    _stream,
)
from libvoiceflow._handle import Owned, address
from libvoiceflow._library import library
from numpy.typing import NDArray


class Side(threading.Thread):
    """A call on a thread of its own, begun at once, and what it gives or raises."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__()
        self._call = call
        self._found: object = None
        self.start()

    def run(self) -> None:
        try:
            self._found = self._call()
        except BaseException as error:
            self._found = error

    def found(self) -> object:
        self.join()
        return self._found


def wait_for(so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_cancelled_by_another_thread(stream: Stream, audio: NDArray[np.float32]) -> None:
    stream.push(audio)
    few, cancel = stream.updates, Cancel()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(CancelledError):
        stream.push(np.tile(audio, 80), cancel=cancel)
    # Not after it was analysed.
    assert stream.updates < 40 * few
    stream.reset()
    stream.push(audio[:RATE])


def test_what_waits_for_a_push_is_cancelled_alone(stream: Stream, audio: NDArray[np.float32]) -> None:
    """It ends while the push goes on; its samples are taken."""
    long = np.tile(audio, 3)
    pushing = Side(lambda: stream.push(long))
    wait_for(lambda: stream.updates > 0)
    with pytest.raises(DeadlineError, match="waiting"):
        stream.push(audio[:RATE], deadline_ms=10)
    for call in (stream.reset, stream.finish):
        with pytest.raises(DeadlineError, match="waiting"):
            call(deadline_ms=10)
    assert pushing.is_alive() and pushing.found() is None
    assert stream.finish().duration == pytest.approx(len(long) / RATE + 1)


def test_a_push_between_two_pages(
    stream: Stream, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No provisional segment of before it comes with those of after it."""
    vf = library()
    stream.push(audio[: 12 * RATE])
    rest = iter(chunks(audio[12 * RATE : 24 * RATE], RATE))

    def push() -> None:
        part = next(rest, None)
        if part is not None:
            assert vf.vf_stream_push_f32(stream._borrow().pointer, address(part), part.size, None) == 0

    monkeypatch.setattr(_stream, "_READ_ROOM", 1)
    monkeypatch.setattr(_stream, "library", lambda: Between("vf_stream_read", after=lambda _: push()))
    segments = stream.read()
    final = [segment.end for segment in segments if segment.final]
    assert len(final) > 3 and next(rest, None) is None
    for segment in segments:
        assert segment.final or segment.end > final[-1]


def test_a_cancelled_finish_leaves_pushes_alone(
    stream: Stream, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel, long = Cancel(), np.tile(audio, 8)
    pushing = Side(lambda: stream.push(long))
    wait_for(lambda: stream.updates > 0)

    class Finishing(Owned):
        def __init__(self, create: str, *arguments: str) -> None:
            if create == "vf_stream_finish":
                # Before it, and while it waits for the push.
                cancel.set()
            super().__init__(create, *arguments)

    monkeypatch.setattr(_stream, "Owned", Finishing)
    with pytest.raises(CancelledError):
        stream.finish(cancel=cancel)
    assert pushing.found() is None
    assert stream.finish().duration == pytest.approx(len(long) / RATE)


def test_a_callback_is_refused_whatever_other_threads_finish(
    stream: Stream, audio: NDArray[np.float32]
) -> None:
    """It is another finish, refused or not, that must not make it wait for itself."""
    stream.push(audio[:RATE])
    others: list[Side] = []
    refused = 0

    def progress(stage: Stage, fraction: float) -> None:
        nonlocal refused
        if refused == 0:
            others.append(Side(lambda: stream.finish(progress=lambda *_: None)))
            wait_for(lambda: len(stream._calls._under_way) == 2)
        with pytest.raises(InvalidArgumentError, match="progress callback"):
            stream.reset()
        refused += 1

    stream.finish(progress=progress)
    others[0].join()
    assert refused > 0


def test_a_reset_right_after_the_finish(
    stream: Stream, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finish gives its result, and the stream that was reset before it was noted has none."""
    stream.push(audio[: 5 * RATE])
    made = Owned.__init__
    finished, reset = threading.Event(), threading.Event()

    def slow(self: Owned, create: str, *arguments: str) -> None:
        made(self, create, *arguments)
        if create == "vf_stream_finish":
            finished.set()
            assert reset.wait(PATIENCE_S)

    with monkeypatch.context() as patch:
        patch.setattr(Owned, "__init__", slow)
        finishing = Side(stream.finish)
        assert finished.wait(PATIENCE_S)
        stream.reset()
        reset.set()
        result = finishing.found()
    assert isinstance(result, Diarization) and result.duration == 5
    assert stream.result is None
    stream.push(audio[:RATE])
    assert stream.finish().duration == 1


def test_final_speakers_of_a_stream_reset_meanwhile(
    stream: Stream, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer or more speakers between asking for their number and their answer."""
    few, many = audio[: 3 * RATE], audio

    def again(samples: NDArray[np.float32]) -> int:
        stream.reset()
        stream.push(samples)
        stream.finish()
        return len(stream.final_speakers())

    counts = [again(few), again(many)]
    assert counts[0] < counts[1]
    for samples, count in zip((few, many), counts, strict=True):
        calls = iter([None, samples])

        def change(calls: Iterator[NDArray[np.float32] | None] = calls) -> None:
            part = next(calls, None)
            if part is not None:
                with monkeypatch.context() as inner:
                    inner.setattr(_stream, "library", library)
                    again(part)

        with monkeypatch.context() as patch:
            patch.setattr(_stream, "library", lambda: Between("vf_stream_final_speakers", before=change))
            assert len(stream.final_speakers()) == count
