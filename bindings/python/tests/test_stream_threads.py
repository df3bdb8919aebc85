"""One stream and several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from conftest import RATE, chunks
from numpy.typing import NDArray
from voiceflow import (
    Cancel,
    CancelledError,
    Diarization,
    InvalidArgumentError,
    Stage,
    Stream,
    _stream,
)
from voiceflow._handle import Owned, address
from voiceflow._library import library


def in_threads(*calls: Callable[[], object]) -> list[object]:
    """What each gives or raises; they begin one after the other."""
    found: list[object] = [None] * len(calls)

    def work(index: int) -> None:
        try:
            found[index] = calls[index]()
        except BaseException as error:
            found[index] = error

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
        time.sleep(0.15)
    for thread in threads:
        thread.join()
    return found


class Between:
    """The library, with something done before each answer of one function."""

    def __init__(self, function: str, does: Callable[[], object], after: bool) -> None:
        self._library, self._function, self._does, self._after = library(), function, does, after

    def __getattr__(self, name: str) -> object:
        function = getattr(self._library, name)
        if name != self._function:
            return function

        def call(*arguments: object) -> int:
            if self._after:
                status = int(function(*arguments))
                self._does()
                return status
            self._does()
            return int(function(*arguments))

        return call


def test_cancelled_by_another_thread(stream: Stream, audio: NDArray[np.float32]) -> None:
    long = np.tile(audio, 40)
    timer = threading.Timer(0.3, stream.cancel)
    timer.start()
    start = time.monotonic()
    with pytest.raises(CancelledError):
        stream.push(long)
    assert time.monotonic() - start < 2
    stream.reset()
    stream.push(audio[:RATE])


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
            assert vf.vf_stream_push_f32(stream._borrow().pointer, address(part), part.size) == 0

    monkeypatch.setattr(_stream, "_READ_ROOM", 1)
    monkeypatch.setattr(_stream, "library", lambda: Between("vf_stream_read", push, after=True))
    segments = stream.read()
    final = [segment.end for segment in segments if segment.final]
    assert len(final) > 3 and next(rest, None) is None
    for segment in segments:
        assert segment.final or segment.end > final[-1]


def test_a_cancelled_finish_leaves_pushes_alone(stream: Stream, audio: NDArray[np.float32]) -> None:
    cancel, long = Cancel(), np.tile(audio, 8)
    pushed, finished, _ = in_threads(
        lambda: stream.push(long), lambda: stream.finish(cancel=cancel), cancel.set
    )
    assert pushed is None and isinstance(finished, CancelledError)
    assert stream.finish().duration == pytest.approx(len(long) / RATE)


def test_a_callback_is_refused_whatever_other_threads_finish(
    stream: Stream, audio: NDArray[np.float32]
) -> None:
    """It is another finish, refused or not, that must not make it wait for itself."""
    stream.push(audio[:RATE])
    other = threading.Thread(target=lambda: in_threads(lambda: stream.finish(progress=lambda *_: None)))
    refused = 0

    def progress(stage: Stage, fraction: float) -> None:
        nonlocal refused
        if refused == 0:
            other.start()
            time.sleep(0.2)
        assert stream._turns.is_telling
        with pytest.raises(InvalidArgumentError, match="progress callback"):
            stream.reset()
        refused += 1

    stream.finish(progress=progress)
    other.join()
    assert refused > 0


def test_a_reset_waits_for_the_finish(
    stream: Stream, audio: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finish gives its result, and the stream that was reset meanwhile has none."""
    stream.push(audio[: 5 * RATE])
    made = Owned.__init__

    def slow(self: Owned, create: str, *arguments: str) -> None:
        made(self, create, *arguments)
        if create == "vf_stream_finish":
            time.sleep(0.5)

    monkeypatch.setattr(Owned, "__init__", slow)
    finished, reset = in_threads(stream.finish, stream.reset)
    assert isinstance(finished, Diarization) and finished.duration == 5 and reset is None
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
            patch.setattr(
                _stream, "library", lambda: Between("vf_stream_final_speakers", change, after=False)
            )
            assert len(stream.final_speakers()) == count
