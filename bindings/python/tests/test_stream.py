"""Live audio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator

import numpy as np
import pytest
from conftest import RATE
from numpy.typing import NDArray
from voiceflow import (
    AudioError,
    Cancel,
    CancelledError,
    ClosedError,
    DeadlineError,
    Diarization,
    Diarizer,
    InvalidArgumentError,
    Segment,
    Stage,
    Stream,
    _stream,
)
from voiceflow._handle import Owned, address
from voiceflow._library import library


@pytest.fixture
def stream(diarizer: Diarizer) -> Iterator[Stream]:
    """Of 16 kHz mono."""
    with diarizer.stream(RATE) as made:
        yield made


def chunks(audio: NDArray[np.float32], size: int = RATE // 2) -> list[NDArray[np.float32]]:
    """Half seconds."""
    return [audio[at : at + size] for at in range(0, len(audio), size)]


def test_a_run(stream: Stream, audio: NDArray[np.float32]) -> None:
    segments = list(stream.run(chunks(audio)))
    final = [segment for segment in segments if segment.final]
    assert final and len(final) < len(segments)
    ends = [segment.end for segment in final]
    assert ends == sorted(ends) and ends[-1] <= len(audio) / RATE + 1e-6
    assert stream.result is not None and len(stream.result.speakers) == 3
    assert stream.speaker_count >= 3 and stream.updates > 50
    for segment in final:
        assert segment.speaker_index < stream.speaker_count
        assert segment.speaker == f"SPEAKER_{segment.speaker_index:02}"
    voice = stream.speaker_embedding(0)
    assert abs(np.linalg.norm(voice) - 1) < 1e-3
    who = stream.final_speakers()
    assert len(who) == stream.speaker_count and who[0] == 0
    assert voice @ stream.result.speakers[0].embedding > 0.8
    assert list(stream) == []


def test_any_split_tells_the_same(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    def final(stream: Stream, parts: list[NDArray[np.float32]]) -> list[Segment]:
        with stream:
            return [segment for segment in stream.run(parts) if segment.final]

    half = final(diarizer.stream(), chunks(audio))
    assert final(diarizer.stream(), chunks(audio, 777 * 16)) == half
    # Longer than what is pushed on the thread of the caller.
    assert final(diarizer.stream(), [audio]) == half
    whole = np.round(audio * 2**15).astype(np.int16)
    stereo = np.stack([whole, whole], axis=1)
    with diarizer.stream(RATE, 2) as stream:
        assert [segment for segment in stream.run(chunks(stereo)) if segment.final] == half


def test_latency(diarizer: Diarizer) -> None:
    with diarizer.stream(latency_s=0.5) as hasty, diarizer.stream(latency_s=3, history_s=0) as calm:
        assert hasty.latency_s < 1 < 3 <= calm.latency_s < 4
        calm.push(np.zeros(RATE, np.float32))
        assert len(calm.finish()) == 0


def test_reset(stream: Stream, audio: NDArray[np.float32]) -> None:
    first = list(stream.run([audio[: 10 * RATE]]))
    with pytest.raises(InvalidArgumentError):
        stream.push(audio[:RATE])
    stream.reset()
    assert stream.result is None and stream.speaker_count == 0
    assert list(stream.run([audio[: 10 * RATE]])) == first


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros((9, 2), np.float32), r"samples: expected the shape \[n_frames\], got \[9, 2\]"),
        (np.zeros(9, np.int64), "samples: expected an array of"),
        ("file.wav", "samples: expected an array of"),
        (None, "samples: expected an array of"),
    ],
)
def test_bad_samples(stream: Stream, samples: object, said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=said):
        stream.push(samples)  # type: ignore[arg-type]
    stream.push(np.zeros(9, np.float32))


def test_samples_that_are_not_finite_are_not_taken(stream: Stream, audio: NDArray[np.float32]) -> None:
    bad = audio.copy()
    bad[-1] = np.nan
    with pytest.raises(AudioError):
        stream.push(bad)
    assert stream.read() == []
    assert abs(list(stream.run([audio]))[-1].end - 51.7) < 1


@pytest.mark.parametrize(
    ("rate", "channels", "options"),
    [(0, 1, {}), (RATE, 0, {}), (RATE, 33, {}), (-1, 1, {}), (RATE, 1, {"latency_s": 9}), ("x", 1, {})],
)
def test_bad_streams(diarizer: Diarizer, rate: int, channels: int, options: dict[str, float]) -> None:
    with pytest.raises(InvalidArgumentError):
        diarizer.stream(rate, channels, **options)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="threads: expected an option among clustering_threshold"):
        diarizer.stream(threads=2)  # type: ignore[call-arg]


def test_unknown_speakers(stream: Stream) -> None:
    for speaker in (0, -1, 2**40, "0"):
        with pytest.raises(InvalidArgumentError):
            stream.speaker_embedding(speaker)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError):
        stream.final_speakers()


def test_a_deadline_keeps_the_samples(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    with diarizer.stream() as patient, diarizer.stream(deadline_ms=30) as hasty:
        expected = [segment for segment in patient.run([audio]) if segment.final]
        missed = 0
        parts: list[NDArray[np.float32]] = [audio]
        while True:
            try:
                hasty.push(parts.pop() if parts else audio[:0])
                break
            except DeadlineError:
                missed += 1
        assert missed > 0
        found = hasty.read()
        while True:
            try:
                hasty.finish()
                break
            except DeadlineError:
                pass
        found += hasty.read()
        assert [segment for segment in found if segment.final] == expected


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


def test_finish_tells_its_progress(stream: Stream, audio: NDArray[np.float32]) -> None:
    stream.push(audio)
    refused: list[str] = []

    def progress(stage: Stage, fraction: float) -> None:
        for call in (lambda: stream.push(audio[:9]), stream.reset, stream.finish):
            with pytest.raises(InvalidArgumentError, match="progress callback") as caught:
                call()
            refused.append(str(caught.value))

    stream.finish(progress=progress)
    assert len(refused) >= 3

    def failing(stage: Stage, fraction: float) -> None:
        raise KeyError("mine")

    stream.reset()
    stream.push(audio[: 5 * RATE])
    with pytest.raises(KeyError, match="mine"):
        stream.finish(progress=failing)
    assert stream.result is None
    stream.finish()


def test_closed(diarizer: Diarizer) -> None:
    stream = diarizer.stream()
    stream.close()
    stream.close()
    uses = (lambda: stream.push([0.0]), stream.read, stream.finish, stream.cancel, stream.reset)
    for use in (*uses, lambda: stream.updates, lambda: stream.latency_s, lambda: list(stream)):
        with pytest.raises(ClosedError, match="this Stream was closed"):
            use()
    with pytest.raises(ClosedError), stream:
        pass


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


def test_no_samples_of_two_channels(diarizer: Diarizer) -> None:
    with diarizer.stream(RATE, 2) as stream:
        stream.push([])
        stream.push(np.zeros((0, 2), np.float32))
        with pytest.raises(InvalidArgumentError, match=r"expected the shape \[n_frames, 2\], got \[9\]"):
            stream.push(np.zeros(9, np.float32))


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
