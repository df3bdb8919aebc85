"""Which models run where none is asked for: accurate for recordings, fast-cnn for windows and live
audio."""

from __future__ import annotations

import subprocess
from pathlib import Path

import libvoiceflow
import numpy as np
import onnxruntime
import pytest
from conftest import RATE, RECORDING, ROOT
from libvoiceflow import Diarizer, Gallery, GalleryError, Session
from libvoiceflow._library import library
from numpy.typing import NDArray

PROGRAM = Path(library()._name).resolve().parents[1] / "bin/voiceflow"
RUNTIME = next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"))
FOLDER = ROOT / ".models/accurate"


@pytest.fixture(scope="module")
def default() -> Diarizer:
    """With all defaults."""
    return Diarizer()


@pytest.fixture(scope="module")
def piece(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first 20 s of the recording."""
    return audio[: 20 * RATE]


def test_recordings_and_windows_have_models_of_their_own(default: Diarizer) -> None:
    assert (default.info.name, default.info.embedding_dim) == ("accurate", 192)
    assert Diarizer(bundle="accurate").info == default.info
    assert Session().info.name == Diarizer(bundle="fast-cnn").info.name == "fast-cnn"


def test_what_is_compiled_in_hears_what_the_folder_hears(
    default: Diarizer, piece: NDArray[np.float32]
) -> None:
    folder = Diarizer(bundle=FOLDER)
    assert folder.info == default.info
    found, expected = default.process(piece, RATE), folder.process(piece, RATE)
    assert len(found.speakers) > 1 and found.to_rttm("x") == expected.to_rttm("x")
    for speaker, other in zip(found.speakers, expected.speakers, strict=True):
        assert np.array_equal(speaker.embedding, other.embedding)


def test_streams_run_the_fast_model(
    default: Diarizer, diarizer: Diarizer, piece: NDArray[np.float32]
) -> None:
    def heard(source: Diarizer) -> tuple[list[libvoiceflow.Segment], str]:
        with source.stream(RATE) as stream:
            stream.push(piece)
            finished = stream.finish()
            return list(stream), finished.to_rttm("x")

    assert heard(default) == heard(diarizer)


def test_a_gallery_has_the_threshold_and_the_voices_of_its_model(
    default: Diarizer, diarizer: Diarizer, piece: NDArray[np.float32]
) -> None:
    accurate, fast = Gallery(default), Gallery(diarizer)
    assert (accurate.threshold, fast.threshold) == (0.46875, 0.5625)
    accurate.enroll("ada", piece[: 5 * RATE], RATE)
    result = default.process(piece, RATE)
    assert "ada" in [identity.name for identity in accurate.identify(result)]
    with pytest.raises(GalleryError, match='voice space: expected that of the gallery, "fast-cnn-1"'):
        fast.identify(result)


def test_the_command_line_tells_both_and_uses_them() -> None:
    def told(*arguments: str | Path) -> str:
        done = subprocess.run([PROGRAM, *arguments, "--runtime", RUNTIME], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    info = told("info")
    assert "recordings    accurate 1." in info and "live audio    fast-cnn 1." in info
    found = told("diarize", "--format", "rttm", RECORDING)
    assert found == told("diarize", "--format", "rttm", "--models", FOLDER, RECORDING)
    assert found != told("diarize", "--format", "rttm", "--models", "fast-cnn", RECORDING)
