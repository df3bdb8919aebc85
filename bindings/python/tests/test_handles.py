"""Closing, garbage collection, threads that close what others use, and memory."""

from __future__ import annotations

import copy
import errno
import gc
import itertools
import pickle
import threading
import time
import weakref
from collections.abc import Callable

import libvoiceflow
import numpy as np
import pytest
from conftest import MODEL, PATIENCE_S, RATE, memory
from libvoiceflow import (
    Cancel,
    CancelledError,
    ClosedError,
    Diarization,
    Diarizer,
    Gallery,
    Session,
    Stage,
    Stream,
)
from numpy.typing import NDArray


def family(audio: NDArray[np.float32]) -> dict[str, libvoiceflow._handle.Handle]:
    """One of each class that has a handle, made of each other."""
    diarizer = Diarizer(model_path=MODEL, threads=1)
    stream = diarizer.stream()
    stream.push(audio[:RATE])
    return {
        "diarizer": diarizer,
        "session": Session(model_path=MODEL, threads=1),
        "stream": stream,
        "result": diarizer.process(audio[: 5 * RATE], RATE),
        "gallery": Gallery(diarizer),
        "cancel": Cancel(),
    }


def test_close_in_any_order(audio: NDArray[np.float32]) -> None:
    for order in itertools.islice(itertools.permutations(range(6)), 0, None, 60):
        handles = list(family(audio).values())
        for index in order:
            handles[index].close()
            handles[index].close()
            assert handles[index].closed


def test_garbage_in_any_order(audio: NDArray[np.float32]) -> None:
    """References go one by one, or all at once as one cycle."""
    for order in itertools.islice(itertools.permutations(range(6)), 0, None, 90):
        handles: list[object] = list(family(audio).values())
        for index in order:
            handles[index] = None
            gc.collect()
    for _ in range(5):
        cycle = family(audio)
        owned = [weakref.ref(handle._owned) for handle in cycle.values()]
        for handle in cycle.values():
            handle.everything = cycle  # type: ignore[attr-defined]
        del cycle, handle
        gc.collect()
        assert [reference() for reference in owned] == [None] * 6


def test_what_comes_of_a_diarizer_outlives_it(audio: NDArray[np.float32]) -> None:
    handles = family(audio)
    handles["diarizer"].close()
    stream, result = handles["stream"], handles["result"]
    assert isinstance(stream, Stream) and isinstance(result, Diarization)
    stream.push(audio[:RATE])
    assert stream.finish().duration == 2 and result.duration == 5


def test_use_after_close(audio: NDArray[np.float32]) -> None:
    handles = family(audio)
    for handle in handles.values():
        handle.close()
    session, diarizer, cancel = handles["session"], handles["diarizer"], handles["cancel"]
    assert isinstance(session, Session) and isinstance(diarizer, Diarizer) and isinstance(cancel, Cancel)
    with Session(model_path=MODEL) as other:
        uses: list[Callable[[], object]] = [
            lambda: session.infer(audio[:RATE]),
            lambda: session.frames(RATE),
            lambda: session.info,
            lambda: diarizer.process(audio, RATE),
            lambda: diarizer.stream(),
            lambda: Gallery(diarizer),
            cancel.set,
            lambda: other.infer(audio[:RATE], cancel=cancel),
        ]
        for use in uses:
            with pytest.raises(ClosedError, match="was closed") as caught:
                use()
            assert isinstance(caught.value, ValueError)


def test_no_copies(audio: NDArray[np.float32]) -> None:
    for name, handle in family(audio).items():
        if name == "result":
            continue
        for use in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="cannot be copied or pickled"):
                use(handle)
    segments = list(Diarizer(bundle="fast-cnn", threads=1).process(audio, RATE))
    assert pickle.loads(pickle.dumps(segments)) == segments and len(segments) > 9


def test_errors_can_be_pickled() -> None:
    error = libvoiceflow._errors.error_for(-4, "a.wav: no such file")
    again = pickle.loads(pickle.dumps(error))
    assert (
        type(again) is libvoiceflow.NotFoundError
        and str(again) == "a.wav: no such file"
        and again.status == -4
    )
    error.filename = "a.wav"
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.filename, again.errno) == ("a.wav: no such file", "a.wav", errno.ENOENT)


def test_closing_what_another_thread_uses(audio: NDArray[np.float32]) -> None:
    """The call under way ends well, the next one is refused, and the handle goes with the call."""
    expected = Diarizer(bundle="fast-cnn").process(audio, RATE).to_rttm("x")
    diarizer, begun, closed, found = Diarizer(bundle="fast-cnn"), threading.Event(), threading.Event(), []

    def progress(stage: Stage, fraction: float) -> None:
        begun.set()
        # A close that waited for the call would wait for this.
        assert closed.wait(30)

    def work() -> None:
        found.append(diarizer.process(audio, RATE, progress=progress).to_rttm("x"))

    thread = threading.Thread(target=work)
    owned = weakref.ref(diarizer._owned)
    thread.start()
    assert begun.wait(PATIENCE_S)
    diarizer.close()
    assert owned() is not None
    with pytest.raises(ClosedError):
        diarizer.process(audio, RATE)
    closed.set()
    thread.join()
    assert found == [expected]
    gc.collect()
    assert owned() is None


def test_closing_all_the_time(audio: NDArray[np.float32]) -> None:
    """Threads use, close and make anew one session and one stream; nobody crashes."""
    diarizer = Diarizer(bundle="fast-cnn", threads=1)
    shared: dict[str, Session | Stream] = {"session": Session(threads=1), "stream": diarizer.stream()}
    until, failures = time.monotonic() + 3, []

    def use() -> None:
        try:
            while time.monotonic() < until:
                try:
                    shared["session"].infer(audio[:RATE])  # type: ignore[union-attr]
                    shared["stream"].push(audio[:RATE])  # type: ignore[union-attr]
                    list(shared["stream"])  # type: ignore[arg-type]
                except ClosedError:
                    pass
        except BaseException as error:
            failures.append(error)

    def close() -> None:
        while time.monotonic() < until:
            time.sleep(0.02)
            shared["session"].close()
            shared["stream"].close()
            shared.update(session=Session(threads=1), stream=diarizer.stream())

    threads = [threading.Thread(target=target) for target in (use, use, use, close)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_garbage_inside_a_callback_is_destroyed_later(audio: NDArray[np.float32]) -> None:
    """The library destroys nothing while it calls back; the handle must not be lost."""
    destroyed: list[int] = []
    libvoiceflow._handle.inside.callback = True
    try:
        libvoiceflow._handle._destroy(libvoiceflow._handle.os.getpid(), destroyed.append, 7)
        libvoiceflow._handle.destroy_postponed()
        assert destroyed == []
    finally:
        libvoiceflow._handle.inside.callback = False
    Cancel()
    assert destroyed == [7]


def grows(call: Callable[[], object], times: int) -> int:
    """Bytes by which memory grows from a first to a second round of calls."""
    for _ in range(times):
        call()
    gc.collect()
    before = memory()
    for _ in range(times):
        call()
    gc.collect()
    return memory() - before


def test_memory(audio: NDArray[np.float32], session: Session) -> None:
    """An error, a result or a handle that were kept would show: each is some kilobytes at least."""
    diarizer = Diarizer(model_path=MODEL, threads=1)
    short, stop = audio[: 2 * RATE], Cancel()
    stop.set()

    def fails() -> None:
        for use in (
            lambda: diarizer.process(short, RATE, cancel=stop),
            lambda: diarizer.process(short, RATE, progress=lambda stage, fraction: 1 / 0),  # type: ignore[arg-type]
            lambda: diarizer.process("/nowhere.wav"),
        ):
            with pytest.raises((CancelledError, ZeroDivisionError, FileNotFoundError)):
                use()

    def process() -> None:
        result = diarizer.process(short, RATE, progress=lambda stage, fraction: None)
        assert result.speakers is not None and result.segments is not None and result.to_json("x")

    def streams() -> None:
        with diarizer.stream() as stream:
            list(stream.run([short]))

    megabyte = 1 << 20
    assert grows(lambda: session.infer(audio[: 3 * RATE]), 300) < 4 * megabyte
    assert grows(process, 200) < 4 * megabyte
    assert grows(streams, 60) < 4 * megabyte
    assert grows(fails, 60) < 4 * megabyte
    assert grows(lambda: (Cancel(), Gallery(diarizer)), 500) < 2 * megabyte
    assert grows(lambda: Session(model_path=MODEL, threads=1), 15) < 16 * megabyte
