"""The network alone."""

from __future__ import annotations

import threading

import libvoiceflow
import numpy as np
import pytest
from conftest import RATE, SLOW_MODEL, ends_soon
from libvoiceflow import (
    AudioError,
    Cancel,
    CancelledError,
    DeadlineError,
    InvalidArgumentError,
    Session,
    Stage,
)
from numpy.typing import NDArray

WINDOW = 3 * RATE


@pytest.fixture(scope="module")
def windows(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """[4, 48000]."""
    return audio[: 4 * WINDOW].reshape(4, WINDOW)


def test_shapes(session: Session, windows: NDArray[np.float32]) -> None:
    info, frames = session.info, session.frames(WINDOW)
    activity, embedding = session.infer(windows)
    assert activity.shape == (4, frames, info.max_speakers) and activity.dtype == np.float32
    assert embedding.shape == (4, info.max_speakers, info.embedding_dim) and embedding.dtype == np.float32
    assert activity.min() >= 0 and activity.max() <= 1 and activity.max() > 0.5
    lengths = np.linalg.norm(embedding, axis=2)
    assert np.all((np.abs(lengths - 1) < 1e-3) | (lengths == 0)) and lengths.max() > 0
    single = session.infer(windows[0])
    assert single.activity.shape == (frames, info.max_speakers)
    assert single.embedding.shape == (info.max_speakers, info.embedding_dim)
    np.testing.assert_allclose(single.activity, activity[0], atol=1e-4)


def test_out_is_filled_and_returned(session: Session, windows: NDArray[np.float32]) -> None:
    expected = session.infer(windows)
    out = tuple(np.full_like(array, 7) for array in expected)
    result = session.infer(windows, out=out)  # type: ignore[arg-type]
    assert result.activity is out[0] and result.embedding is out[1]
    np.testing.assert_array_equal(out[0], expected.activity)
    np.testing.assert_array_equal(out[1], expected.embedding)


def test_other_types_are_scaled(session: Session, windows: NDArray[np.float32]) -> None:
    # Whole numbers of 16 bits are exact as float32.
    whole = np.round(windows * 2**15).astype(np.int16)
    expected = session.infer((whole / 2**15).astype(np.float32))
    for same in (
        whole,
        whole.astype(np.int32) << 16,
        (whole / 2**15).astype(np.float64),
        (whole / 2**15).astype(">f4"),
        whole.astype(">i2"),
        (whole / 2**15).tolist(),
        np.asfortranarray(whole),
    ):
        np.testing.assert_array_equal(session.infer(same).activity, expected.activity)
    place = bytearray(1 + windows.nbytes)
    for unaligned in (
        np.frombuffer(place, np.float32, windows.size, offset=1).reshape(windows.shape),
        np.frombuffer(place, np.int16, windows.size, offset=1).reshape(windows.shape),
    ):
        assert not unaligned.flags.aligned
        unaligned[:] = windows if unaligned.dtype == np.float32 else whole
        np.testing.assert_array_equal(
            session.infer(unaligned).activity,
            session.infer(windows if unaligned.dtype == np.float32 else whole).activity,
        )
    strided = np.repeat(windows, 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(session.infer(strided).activity, session.infer(windows).activity)


@pytest.mark.parametrize(
    ("audio", "said"),
    [
        (np.zeros((1, 48_000), np.int64), "audio: expected an array of float32, int16.* got int64"),
        (np.zeros((1, 48_000), np.uint8), "got uint8"),
        (np.zeros((1, 48_000), np.complex64), "got complex64"),
        (np.zeros((1, 48_000), np.float16), "got float16"),
        (np.zeros((1, 48_000), object), "got object"),
        ("audio.wav", "audio: expected an array of"),
        ([[0.0], [0.0, 1.0]], "audio: expected an array of"),
        (
            np.zeros((1, 1, 48_000), np.float32),
            r"expected the shape \[batch, samples\].* got \[1, 1, 48000\]",
        ),
        (np.float32(0), r"expected the shape .* got \[\]"),
        (np.zeros((0, 48_000), np.float32), "batch"),
        (np.zeros((1, 0), np.float32), "samples"),
        (np.zeros((1, 10), np.float32), "samples"),
        (np.zeros(960_001, np.float32), "samples"),
        (np.zeros((1025, 640), np.float32), "batch"),
    ],
)
def test_bad_audio(session: Session, audio: object, said: str) -> None:
    with pytest.raises(libvoiceflow.Error, match=said) as caught:
        session.infer(audio)  # type: ignore[arg-type]
    assert isinstance(caught.value, ValueError)
    assert session.infer(np.zeros(WINDOW, np.float32)).activity.max() < 0.9


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_what_is_not_finite(session: Session, value: float) -> None:
    audio = np.zeros(WINDOW)
    audio[77] = value
    with pytest.raises(AudioError):
        session.infer(audio)


def test_bad_room(session: Session, windows: NDArray[np.float32]) -> None:
    activity, embedding = session.infer(windows)
    frozen = activity.copy()
    frozen.flags.writeable = False
    for bad in (
        activity[:, :-1],
        activity.astype(np.float64),
        np.asfortranarray(activity),
        frozen,
        activity[0],
        None,
        activity.tolist(),
    ):
        with pytest.raises(InvalidArgumentError, match=r"out activity: expected a float32 array \[4, "):
            session.infer(windows, out=(bad, embedding))  # type: ignore[arg-type]
    place = bytearray(1 + activity.nbytes)
    unaligned = np.frombuffer(place, np.float32, activity.size, offset=1).reshape(activity.shape)
    with pytest.raises(InvalidArgumentError, match="out activity: .* that is not aligned"):
        session.infer(windows, out=(unaligned, embedding))
    with pytest.raises(InvalidArgumentError, match="out embedding"):
        session.infer(windows, out=(activity, activity))


def test_a_deadline(windows: NDArray[np.float32]) -> None:
    with Session(threads=1) as session:
        # One on the thread of its caller, and a long one.
        for audio in (windows, np.zeros((20, 5 * RATE), np.float32)):
            with pytest.raises(DeadlineError) as caught:
                session.infer(audio, deadline_ms=0)
            assert isinstance(caught.value, TimeoutError) and caught.value.status == -13
            session.infer(audio, deadline_ms=600_000)
        with pytest.raises(InvalidArgumentError, match="deadline_ms: expected 0 to"):
            session.infer(windows, deadline_ms=-1)


def test_progress_is_reported_while_a_run_slot_is_waited_for(windows: NDArray[np.float32]) -> None:
    end, held = Cancel(), threading.Event()
    reported: list[Stage] = []
    with Session(model_path=SLOW_MODEL, threads=1) as session:
        session.infer(windows[0])

        def hold() -> None:
            with pytest.raises(CancelledError):
                session.infer(np.zeros((64, 20 * RATE), np.float32), cancel=end)
            held.set()

        def progress(stage: Stage, fraction: float) -> None:
            reported.append(stage)
            end.set()

        holder = threading.Thread(target=hold)
        holder.start()
        # Until one comes behind the other thread's.
        while not held.is_set():
            session.infer(windows[0], progress=progress)
        holder.join()
    assert set(reported) == {Stage.WAITING}


def test_cancelled_before(session: Session, windows: NDArray[np.float32]) -> None:
    with Cancel() as cancel:
        session.infer(windows, cancel=cancel)
        assert not cancel.is_set
        cancel.set()
        cancel.set()
        assert cancel.is_set
        with pytest.raises(CancelledError):
            session.infer(windows, cancel=cancel)
        with pytest.raises(CancelledError):
            session.infer(np.zeros((20, 5 * RATE), np.float32), cancel=cancel)
    session.infer(windows)


def test_cancelled_by_another_thread() -> None:
    """A call that would take many seconds ends soon."""
    # Of rows few enough for one step of the network to be short.
    long = np.zeros((64, 20 * RATE), np.float32)
    session = Session(model_path=SLOW_MODEL, threads=1)

    def work() -> None:
        cancel = Cancel()
        timer = threading.Timer(0.2, cancel.set)
        timer.start()
        with pytest.raises(CancelledError):
            session.infer(long, cancel=cancel)
        timer.join()

    ends_soon(work)


def test_cancelled_while_it_waits_for_a_run_slot() -> None:
    """Which one has that takes many seconds."""
    end, cancel = Cancel(), Cancel()
    session = Session(model_path=SLOW_MODEL, threads=1)
    held = []

    def hold() -> None:
        try:
            session.infer(np.zeros((64, 20 * RATE), np.float32), cancel=end)
        except CancelledError:
            held.append(True)

    holder = threading.Thread(target=hold)
    holder.start()
    threading.Timer(0.2, cancel.set).start()
    with pytest.raises(CancelledError):
        # Until one comes behind the other thread's.
        while True:
            session.infer(np.zeros(WINDOW, np.float32), cancel=cancel)
    assert holder.is_alive()
    end.set()
    holder.join()
    assert held


def test_slots() -> None:
    for slots in (0, 65, -1):
        with pytest.raises(InvalidArgumentError, match="slots: expected"):
            Session(slots=slots)


def test_threads_share_a_session(windows: NDArray[np.float32]) -> None:
    with Session(threads=1, slots=2) as session:
        expected = session.infer(windows)
        failures: list[BaseException] = []

        def work() -> None:
            try:
                for _ in range(20):
                    np.testing.assert_array_equal(session.infer(windows).activity, expected.activity)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


def test_info(session: Session) -> None:
    info = session.info
    assert info.name and len(info.sha256) == 64 and info.sample_rate == RATE
    assert info.provider is libvoiceflow.Provider.CPU


def test_a_load_has_conditions() -> None:
    with pytest.raises(DeadlineError, match="deadline of 0 ms passed while loading a model"):
        Session(deadline_ms=0)
    with pytest.raises(InvalidArgumentError, match="deadline_ms"):
        Session(deadline_ms=-1)
    cancel, reported = Cancel(), set()

    def progress(stage: Stage, fraction: float) -> None:
        reported.add(stage)

    Session(threads=1, cancel=cancel, deadline_ms=600_000, progress=progress).close()
    assert reported == {Stage.LOADING}
    cancel.set()
    with pytest.raises(CancelledError, match="loading a model"):
        libvoiceflow.Diarizer(cancel=cancel)
    with pytest.raises(ZeroDivisionError):
        libvoiceflow.Diarizer(progress=lambda stage, fraction: 1 / 0)  # type: ignore[arg-type]


def test_what_an_inference_has_no_use_for(session: Session, windows: NDArray[np.float32]) -> None:
    """Is refused by the library, and what is no condition at all here."""
    with pytest.raises(InvalidArgumentError, match="call: num_speakers: expected none, as .* no use for it"):
        session.infer(windows, num_speakers=2)  # type: ignore[call-arg]
    with pytest.raises(
        TypeError, match="cancle: expected a condition among all_tracks, cancel, channel, deadline_ms, "
    ):
        session.infer(windows, cancle=Cancel())  # type: ignore[call-arg]
    with pytest.raises(InvalidArgumentError, match="cancel: expected a Cancel, got True"):
        session.infer(windows, cancel=True)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="progress: expected a function, got 7"):
        session.infer(windows, progress=7)  # type: ignore[arg-type]
