"""Another model in the place of one that is in use, and channels that are followed."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import libvoiceflow
import numpy as np
import pytest
from conftest import MODEL, PATIENCE_S, RATE, ROOT, SLOW_MODEL
from libvoiceflow import (
    Cancel,
    CancelledError,
    DeadlineError,
    Diarizer,
    Gallery,
    GalleryError,
    ModelError,
    RegistryError,
    Session,
)
from numpy.typing import NDArray

FLOAT_MODEL = ROOT / "models/fast-cnn/1.0.1/model.fp32.onnx"


@pytest.fixture
def small() -> Iterator[Diarizer]:
    with Diarizer(model_path=MODEL, threads=1) as made:
        yield made


def test_a_reload_takes_over(small: Diarizer, audio: NDArray[np.float32]) -> None:
    assert small.info.name == "fixture" and small.info.voice_space == ""
    stream = small.stream(RATE)
    small.reload(bundle="fast-cnn", threads=1)
    assert small.info.name == "fast-cnn" and small.info.voice_space == "fast-cnn-1"
    assert len(small.process(audio, RATE).speakers) == 3
    new, old = small.versions()
    assert (new.number, new.name, new.current, new.streams) == (2, "fast-cnn", True, 0)
    assert (old.number, old.name, old.current, old.streams) == (1, "fixture", False, 1)
    assert new.sha256 == small.info.sha256 and new.version == small.info.version
    stream.push(audio[: 5 * RATE])
    stream.finish()
    stream.close()
    assert [version.number for version in small.versions()] == [2]


def test_a_failure_changes_nothing(small: Diarizer, audio: NDArray[np.float32]) -> None:
    before = small.versions()
    with pytest.raises(ModelError, match="^reload: smoke: .*activity: expected 0 to 1"):
        small.reload(model_path=MODEL.with_name("activity_range.onnx"))
    with pytest.raises(DeadlineError, match="^reload: "):
        small.reload(deadline_ms=0)
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        small.reload(cancel=cancel)
    with pytest.raises(TypeError):
        small.reload(slots=2)  # type: ignore[call-arg]
    assert small.versions() == before
    small.process(audio[:RATE], RATE)


def test_a_session_keeps_its_sizes(audio: NDArray[np.float32]) -> None:
    with Session(threads=1) as session:
        sha256 = session.info.sha256
        session.reload(model_path=FLOAT_MODEL, threads=1)
        assert session.info.sha256 != sha256
        assert session.infer(audio[:RATE]).activity.shape[0] == session.frames(RATE)
        with pytest.raises(ModelError, match="as of the running model"):
            session.reload(model_path=MODEL)
        assert [version.number for version in session.versions()] == [2]


def test_galleries_are_of_a_voice_space(small: Diarizer, audio: NDArray[np.float32]) -> None:
    other = small.process(audio, RATE)
    small.reload(bundle="fast-cnn", threads=1)
    gallery = Gallery(small)
    gallery.identify(small.process(audio, RATE))
    with pytest.raises(GalleryError, match="voice space: expected that of the gallery"):
        gallery.identify(other)


def test_calls_go_on_while_models_are_exchanged(audio: NDArray[np.float32]) -> None:
    with Diarizer(bundle="fast-cnn", threads=1) as diarizer:
        piece = audio[: 10 * RATE]
        expected = diarizer.process(piece, RATE).to_json("x")
        done, faults, calls = threading.Event(), [], []

        def work() -> None:
            try:
                while not done.is_set():
                    assert diarizer.process(piece, RATE).to_json("x") == expected
                    calls.append(None)
            except BaseException as error:
                faults.append(error)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            diarizer.reload(bundle="fast-cnn", threads=1)
        done.set()
        for thread in threads:
            thread.join()
        assert not faults and calls
        assert [version.number for version in diarizer.versions()] == [4]


@pytest.mark.parametrize("voice_space", ["fast-cnn-1", "others"])
def test_speakers_of_a_stream_keep_their_numbers(
    voice_space: str, audio: NDArray[np.float32], tmp_path: Path
) -> None:
    """The same model in 8 bits and in floats, which know the same voices; in a space of another
    name they are learned anew."""
    folder = tmp_path / "float"
    folder.mkdir()
    shutil.copy(FLOAT_MODEL, folder / "model.onnx")
    (folder / "metadata.json").write_text(json.dumps({"voice_space": voice_space}))
    with Diarizer(bundle="fast-cnn", threads=1) as diarizer:
        stays, follows = diarizer.stream(RATE), diarizer.stream(RATE, follow_reloads=True)
        for stream in stays, follows:
            stream.push(audio[: 20 * RATE])
        known = [follows.speaker_embedding(number) for number in range(follows.speaker_count)]
        assert len(known) >= 2
        diarizer.reload(bundle=folder, threads=1)
        for stream in stays, follows:
            stream.push(audio[20 * RATE :])
        assert [(version.number, version.streams) for version in diarizer.versions()] == [(2, 1), (1, 1)]
        # Whoever was known before is the same afterwards.
        now = np.stack([follows.speaker_embedding(number) for number in range(follows.speaker_count)])
        assert [int(np.argmax(now @ voice)) for voice in known] == list(range(len(known)))
        assert len(follows.finish().speakers) >= 3


def wait_until(condition: Callable[[], bool]) -> None:
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < PATIENCE_S
        time.sleep(0.02)


def test_what_a_watch_cannot_follow_is_told_and_close_ends_it(small: Diarizer, tmp_path: Path) -> None:
    errors: list[Exception] = []
    watch = small.watch(
        tmp_path, "fast-cnn@stable", interval_s=0.05, command=tmp_path / "nowhere", on_error=errors.append
    )
    wait_until(lambda: len(errors) > 2)
    watch.close()
    watch.close()
    assert watch.closed
    assert isinstance(errors[0], RegistryError) and "No such file" in str(errors[0])
    assert small.info.name == "fixture"
    for options, text in (({"bundle": "x"}, "bundle"), ({"interval_s": 0}, "interval_s")):
        with pytest.raises(libvoiceflow.InvalidArgumentError, match=text):
            small.watch(tmp_path, "fast-cnn@stable", **options)  # type: ignore[arg-type]


def test_close_does_not_wait_for_what_is_fetched(small: Diarizer, tmp_path: Path) -> None:
    command = tmp_path / "slow"
    command.write_text("#!/bin/sh\nexec sleep 600\n")
    command.chmod(0o755)
    with small.watch(tmp_path, "fast-cnn@stable", command=command):
        time.sleep(0.2)
        start = time.monotonic()
    assert time.monotonic() - start < PATIENCE_S


def test_a_watch_ends_with_its_diarizer(tmp_path: Path) -> None:
    diarizer = Diarizer(model_path=SLOW_MODEL, threads=1)
    watch = diarizer.watch(
        tmp_path, "m@stable", interval_s=0.02, command="/bin/false", on_error=lambda _: None
    )
    del diarizer
    wait_until(lambda: watch.closed)
