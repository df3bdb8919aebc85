"""Files and arrays of whole recordings."""

from __future__ import annotations

import errno
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import libvoiceflow
import numpy as np
import pytest
from conftest import RATE, SLOW_MODEL, ends_soon
from libvoiceflow import (
    AudioError,
    Cancel,
    CancelledError,
    DeadlineError,
    Diarization,
    Diarizer,
    Gallery,
    InvalidArgumentError,
    NotFoundError,
    Stage,
    WarningCode,
)
from numpy.typing import NDArray


@pytest.fixture(scope="module")
def hour(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """What takes `slow` minutes to analyse."""
    return np.tile(audio, 60)


@pytest.fixture(scope="module")
def slow() -> Iterator[Diarizer]:
    with Diarizer(model_path=SLOW_MODEL, threads=1) as made:
        yield made


def same(one: Diarization, other: Diarization) -> bool:
    return one.to_json("x") == other.to_json("x")


def test_files(diarizer: Diarizer, recording: Path, result: Diarization, tmp_path: Path) -> None:
    assert len(result.speakers) == 3 and len(result) > 10
    assert same(diarizer.process(str(recording)), result)
    odd = tmp_path / "größe  名.flac"
    shutil.copy(recording, odd)
    assert same(diarizer.process(odd), result)


def test_arrays(diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization) -> None:
    assert same(diarizer.process(audio, RATE), result)
    # The recording has 16 bits.
    whole = np.round(audio * 2**15).astype(np.int16)
    np.testing.assert_array_equal(whole / np.float32(2**15), audio)
    stereo = np.stack([whole, whole], axis=1)
    for samples in (
        whole,
        stereo,
        np.asfortranarray(stereo),
        stereo[:, :1],
        whole.astype(np.int32) << 16,
        audio.astype(np.float64),
        audio.astype(">f4"),
        np.repeat(audio, 2)[::2],
    ):
        assert same(diarizer.process(samples, RATE), result)
    assert same(diarizer.process(audio, np.int64(RATE)), result)  # type: ignore[arg-type]


def test_another_rate(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    half = diarizer.process(audio[::2], RATE // 2)
    assert abs(half.duration - len(audio) / RATE) < 0.01 and len(half.speakers) >= 2


def test_nothing_and_silence(diarizer: Diarizer) -> None:
    for samples in np.zeros(0, np.float32), np.zeros((0, 2), np.int16), np.zeros(RATE, np.float32), []:
        result = diarizer.process(samples, RATE)
        assert (len(result), result.speakers, list(result), result.segments.shape) == (0, (), [], (0,))
        assert result.to_rttm("a") == "" and "<svg" in result._repr_html_()


@pytest.mark.parametrize(
    ("samples", "rate", "said"),
    [
        (np.zeros(9, np.float32), None, "sample_rate: expected one with an array"),
        (np.zeros(9, np.float32), 0, "expected 1000 to 768000 Hz, got 0 Hz"),
        (np.zeros(9, np.float32), -1, "sample_rate: expected 0 to"),
        (np.zeros(9, np.float32), 2**32, "sample_rate: expected 0 to"),
        (np.zeros(9, np.float32), 44_100.5, "sample_rate: expected a whole number"),
        (np.zeros(9, np.float32), "16000", "sample_rate: expected a whole number"),
        (np.zeros((2, 9000), np.float32), RATE, "the transpose"),
        (np.zeros((50, 33), np.float32), RATE, "channels"),
        (np.zeros((2, 2, 2), np.float32), RATE, r"expected the shape \[n_frames\]"),
        (np.float32(1), RATE, r"expected the shape \[n_frames\]"),
        (np.zeros(9, np.uint8), RATE, "source: expected an array of float32"),
        (np.zeros(9, np.int64), RATE, "got int64"),
        (None, RATE, "got object"),
        (b"file.wav", RATE, "sample_rate: expected none with a file"),
        ("conversation.flac", RATE, "sample_rate: expected none with a file"),
        ("a\0b", None, "source: expected a text without zero bytes"),
    ],
)
def test_bad_input(diarizer: Diarizer, samples: object, rate: object, said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=said):
        diarizer.process(samples, rate)  # type: ignore[arg-type]


def test_bad_files(diarizer: Diarizer, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere.wav") as caught:
        diarizer.process(tmp_path / "nowhere.wav")
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(OSError):
        diarizer.process(tmp_path)
    (tmp_path / "text.wav").write_text("no audio")
    with pytest.raises(AudioError, match="text.wav"):
        diarizer.process(tmp_path / "text.wav")
    with pytest.raises(AudioError):
        diarizer.process(np.full(RATE, np.nan, np.float32), RATE)


def test_progress(diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization) -> None:
    told: list[tuple[Stage, float]] = []
    threads = set()

    def progress(stage: Stage, fraction: float) -> None:
        told.append((stage, fraction))
        threads.add(threading.get_ident())

    assert same(diarizer.process(audio, RATE, progress=progress), result)
    assert {Stage.ANALYSIS, Stage.RECONSTRUCTION} <= {stage for stage, _ in told}
    assert all(0 <= fraction <= 1 for _, fraction in told)
    assert threads == {threading.get_ident()}


def test_a_progress_callback_ends_the_call_by_its_switch(
    diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization
) -> None:
    """And by nothing that it returns."""
    cancel = Cancel()
    with pytest.raises(CancelledError) as caught:
        diarizer.process(audio, RATE, cancel=cancel, progress=lambda stage, fraction: cancel.set())
    assert caught.value.status == -12
    for answer in (False, np.bool_(False), 0, None):
        assert same(
            diarizer.process(audio, RATE, progress=lambda stage, fraction, answer=answer: answer), result
        )


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_exception_in_progress(
    slow: Diarizer, hour: NDArray[np.float32], kind: type[BaseException]
) -> None:
    """It comes out of the call, which ends soon."""

    def progress(stage: Stage, fraction: float) -> None:
        if fraction > 0:
            raise kind("mine")

    def work() -> None:
        with pytest.raises(kind, match="mine"):
            slow.process(hour, RATE, progress=progress)

    ends_soon(work)
    assert slow.process(hour[:RATE], RATE).duration == 1


def test_where_no_thread_can_be_made(
    diarizer: Diarizer,
    audio: NDArray[np.float32],
    result: Diarization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The call is made on this one, and behaves the same."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def failing(stage: Stage, fraction: float) -> None:
        raise ZeroDivisionError("mine")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    told: list[Stage] = []
    assert same(diarizer.process(audio, RATE, progress=lambda stage, fraction: told.append(stage)), result)
    assert Stage.ANALYSIS in told
    with pytest.raises(ZeroDivisionError, match="mine"):
        diarizer.process(audio, RATE, progress=failing)
    cancel = Cancel()
    with pytest.raises(CancelledError):
        diarizer.process(audio, RATE, cancel=cancel, progress=lambda stage, fraction: cancel.set())
    with pytest.raises(NotFoundError):
        diarizer.process("/nowhere.wav")


def test_the_library_can_be_used_in_progress(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    inner: list[Diarization] = []

    def progress(stage: Stage, fraction: float) -> None:
        if not inner:
            with Diarizer(bundle="fast-cnn", threads=1) as another:
                inner.append(another.process(audio[:RATE], RATE))

    diarizer.process(audio, RATE, progress=progress)
    assert inner[0].duration == 1


def test_cancel(slow: Diarizer, hour: NDArray[np.float32]) -> None:
    def work() -> None:
        cancel = Cancel()
        threading.Timer(0.2, cancel.set).start()
        with pytest.raises(CancelledError):
            slow.process(hour, RATE, cancel=cancel)
        assert cancel.is_set
        with pytest.raises(CancelledError):
            slow.process(hour[:RATE], RATE, cancel=cancel)

    ends_soon(work)


def test_deadline(slow: Diarizer, hour: NDArray[np.float32]) -> None:
    def work() -> None:
        with pytest.raises(DeadlineError, match="deadline of 100 ms passed"):
            slow.process(hour, RATE, deadline_ms=100)

    ends_soon(work)
    assert slow.process(hour[:RATE], RATE).duration == 1


def test_one_switch_ends_several_calls(slow: Diarizer, hour: NDArray[np.float32]) -> None:
    """And a call that ends by something else leaves the switch as it is."""
    cancel, ended = Cancel(), []

    def failing(stage: Stage, fraction: float) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        slow.process(hour, RATE, cancel=cancel, progress=failing)
    assert not cancel.is_set
    assert slow.process(hour[:RATE], RATE, cancel=cancel).duration == 1

    def work() -> None:
        with pytest.raises(CancelledError):
            slow.process(hour, RATE, cancel=cancel)
        ended.append(True)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert ended == []
    cancel.set()
    for thread in threads:
        thread.join()
    assert ended == [True] * 3


def test_speakers_are_asked_for_by_call(
    diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization
) -> None:
    assert len(result.speakers) == 3
    assert len(diarizer.process(audio, RATE, num_speakers=2).speakers) == 2
    assert len(diarizer.process(audio, RATE, min_speakers=4).speakers) == 4
    assert len(diarizer.process(audio, RATE, max_speakers=1).speakers) == 1
    with Diarizer(bundle="fast-cnn", speaker_range=(2, 3)) as other:
        expected = other.process(audio, RATE)
    assert same(diarizer.process(audio, RATE, min_speakers=2, max_speakers=3), expected)
    assert same(diarizer.process(audio, RATE, num_speakers=None, exclusive=False), result)
    for given, said in (
        ({"num_speakers": 0}, "call: num_speakers: expected 1 to 100, got 0"),
        ({"num_speakers": 2.5}, "num_speakers: expected a whole number, got 2.5"),
        ({"min_speakers": 3, "max_speakers": 2}, "call: min_speakers: expected at most max_speakers"),
        ({"num_speakers": 2, "max_speakers": 2}, "call: num_speakers: expected without min_speakers"),
        ({"exclusive": "no"}, "exclusive: expected True or False, got 'no'"),
    ):
        with pytest.raises(InvalidArgumentError, match=said):
            diarizer.process(audio, RATE, **given)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="speakers: expected a condition among all_tracks, cancel, "):
        diarizer.process(audio, RATE, speakers=2)  # type: ignore[call-arg]


def test_channels_and_tracks_are_asked_for_by_call(
    diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization
) -> None:
    inverted = np.stack([audio, -audio], axis=1)
    mixed = diarizer.process(inverted, RATE)
    (warning,) = mixed.warnings
    assert warning.code is WarningCode.INVERTED_CHANNELS and warning.time < 1
    assert "each other's inverse" in warning.text
    assert result.warnings == ()
    left = diarizer.process(inverted, RATE, channel=1)
    assert same(left, result) and left.warnings == ()
    separate = diarizer.process(inverted, RATE, separate_channels=True)
    assert separate.speakers[0].label == "CH1_SPEAKER_00"
    every = diarizer.process(audio, RATE, all_tracks=True)
    assert every.speakers[0].label == "TRACK1_SPEAKER_00"
    assert same(diarizer.process(audio, RATE, track=1), result)
    with pytest.raises(AudioError, match="channel: expected one of the 2 that there are, got number 3"):
        diarizer.process(inverted, RATE, channel=3)
    with pytest.raises(AudioError, match="track: expected one of the 1 that there are, got number 2"):
        diarizer.process(audio, RATE, track=2)
    with pytest.raises(InvalidArgumentError, match="call: flags: expected VF_CALL_CHANNEL or"):
        diarizer.process(inverted, RATE, channel=1, separate_channels=True)


def test_an_exclusive_result_has_no_overlap(
    diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization
) -> None:
    assert any(segment.overlap for segment in result)
    segments = sorted(diarizer.process(audio, RATE, exclusive=True), key=lambda segment: segment.start)
    assert not any(segment.overlap for segment in segments)
    assert all(one.end <= two.start + 1e-6 for one, two in zip(segments, segments[1:], strict=False))


def test_threads_share_a_diarizer(
    diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization
) -> None:
    results: list[Diarization | BaseException] = []

    def work() -> None:
        try:
            results.append(diarizer.process(audio, RATE, progress=lambda stage, fraction: None))
        except BaseException as error:
            results.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert all(isinstance(other, Diarization) and same(other, result) for other in results)


def test_info_is_the_models(diarizer: Diarizer) -> None:
    info = diarizer.info
    assert info.name == "fast-cnn" and info.version.count(".") == 2
    assert info.window_samples > info.hop_samples > info.frame_step_samples > 0
    assert info.max_speakers >= 2 and info.embedding_dim > 1 and info.provider is libvoiceflow.Provider.CPU


def test_arrays_that_are_not_aligned(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    part = audio[: 10 * RATE]
    for samples in (part, np.round(part * 2**15).astype(np.int16)):
        place = np.frombuffer(bytearray(1 + samples.nbytes), samples.dtype, samples.size, offset=1)
        assert not place.flags.aligned
        place[:] = samples
        assert same(diarizer.process(place, RATE), diarizer.process(samples, RATE))


def test_a_sample_rate_is_a_whole_number(
    diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization
) -> None:
    for rate in (16000.0, np.float32(16000), np.int64(16000)):
        assert same(diarizer.process(audio, rate), result)
    diarizer.stream(48000.0).close()
    for bad in (16000.5, float("nan"), float("inf"), "16000", [16000]):
        with pytest.raises(InvalidArgumentError, match="sample_rate: expected a whole number, got"):
            diarizer.process(audio, bad)  # type: ignore[arg-type]


def test_a_file_that_does_not_exist(diarizer: Diarizer, tmp_path: Path) -> None:
    for use in (
        diarizer.process,
        lambda file: Gallery(diarizer).enroll("ada", file),
        lambda file: Gallery.load(diarizer, file),
        lambda file: Gallery(diarizer).save(file / "a"),
    ):
        with pytest.raises(FileNotFoundError) as caught:
            use(tmp_path / "none")
        assert isinstance(caught.value, NotFoundError) and caught.value.errno == errno.ENOENT
        assert caught.value.filename.startswith(str(tmp_path / "none"))
        assert caught.value.filename in str(caught.value) and "[Errno" not in str(caught.value)
