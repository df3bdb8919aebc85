"""Live audio."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from conftest import RATE, chunks
from libvoiceflow import (
    AudioError,
    Cancel,
    CancelledError,
    ClosedError,
    DeadlineError,
    Diarizer,
    InvalidArgumentError,
    Segment,
    Stage,
    Stream,
)
from numpy.typing import NDArray


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
    whole_ms = []
    for _ in range(2):
        with diarizer.stream() as patient:
            begin = time.monotonic()
            patient.push(audio)
            whole_ms.append((time.monotonic() - begin) * 1000)
            found = patient.read()
            patient.finish()
            found += patient.read()
            expected = [segment for segment in found if segment.final]
    # Missed by a push, and long for a finish, which takes a hundredth of one.
    deadline_ms = int(min(whole_ms) / 8)
    with diarizer.stream() as hasty:
        parts = [audio]

        def push() -> None:
            hasty.push(parts.pop() if parts else audio[:0], deadline_ms=deadline_ms)

        assert misses(push) > 0
        found = hasty.read()
        misses(lambda: hasty.finish(deadline_ms=deadline_ms))
        found += hasty.read()
        assert [segment for segment in found if segment.final] == expected


def misses(call: Callable[[], object]) -> int:
    """How often a call that is made until it is done misses its deadline."""
    for missed in range(500):
        try:
            call()
        except DeadlineError:
            continue
        return missed
    pytest.fail("expected the call to be done after 500 deadlines")


def test_progress_is_reported(stream: Stream, audio: NDArray[np.float32]) -> None:
    """Of each call, which the stream's calls are refused in: they would wait for it."""
    refused: list[str] = []

    def progress(stage: Stage, fraction: float) -> None:
        for call in (lambda: stream.push(audio[:9]), stream.reset, stream.finish):
            with pytest.raises(InvalidArgumentError, match="progress callback") as caught:
                call()
            refused.append(str(caught.value))

    stream.push(audio, progress=progress)
    assert len(refused) >= 3
    refused.clear()
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


def test_speakers_are_asked_for_by_call(stream: Stream, audio: NDArray[np.float32]) -> None:
    segments = list(stream.run(chunks(audio), deadline_ms=600_000, num_speakers=2, exclusive=True))
    assert len(segments) > 10 and stream.result is not None and len(stream.result.speakers) == 2
    assert not any(segment.overlap for segment in stream.result)
    stream.reset()
    stream.push(audio)
    with pytest.raises(InvalidArgumentError, match="call: max_speakers: expected 1 to 100, got 0"):
        stream.finish(max_speakers=0)
    assert stream.result is None and len(stream.finish(min_speakers=4).speakers) == 4


def test_what_a_call_has_no_use_for(stream: Stream, audio: NDArray[np.float32]) -> None:
    """Is refused, and no samples are taken."""
    with pytest.raises(InvalidArgumentError, match="call: num_speakers: expected none, as a push has"):
        stream.push(audio, num_speakers=2)  # type: ignore[call-arg]
    with pytest.raises(InvalidArgumentError, match="call: exclusive: expected none, as a reset has"):
        stream.reset(exclusive=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="latency_s: expected a condition among"):
        stream.push(audio, latency_s=2)  # type: ignore[call-arg]
    assert stream.finish().duration == 0


def test_a_stream_is_made_under_conditions(diarizer: Diarizer) -> None:
    cancel, reported = Cancel(), []

    def progress(stage: Stage, fraction: float) -> None:
        reported.append(stage)

    diarizer.stream(cancel=cancel, deadline_ms=600_000, progress=progress).close()
    with pytest.raises(DeadlineError), Diarizer() as unused:
        # Which loads the model of streams.
        unused.stream(deadline_ms=0)
    cancel.set()
    with pytest.raises(CancelledError), Diarizer() as unused:
        unused.stream(cancel=cancel)
    assert set(reported) <= {Stage.LOADING}


def test_closed(diarizer: Diarizer) -> None:
    stream = diarizer.stream()
    stream.close()
    stream.close()
    uses = (lambda: stream.push([0.0]), stream.read, stream.finish, stream.reset)
    for use in (*uses, lambda: stream.updates, lambda: stream.latency_s, lambda: list(stream)):
        with pytest.raises(ClosedError, match="this Stream was closed"):
            use()
    with pytest.raises(ClosedError), stream:
        pass


def test_no_samples_of_two_channels(diarizer: Diarizer) -> None:
    with diarizer.stream(RATE, 2) as stream:
        stream.push([])
        stream.push(np.zeros((0, 2), np.float32))
        with pytest.raises(InvalidArgumentError, match=r"expected the shape \[n_frames, 2\], got \[9\]"):
            stream.push(np.zeros(9, np.float32))
