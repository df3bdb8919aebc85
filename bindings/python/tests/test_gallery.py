"""Known voices."""

from __future__ import annotations

import threading
from pathlib import Path

import libvoiceflow
import numpy as np
import pytest
from conftest import RATE, ROOT
from libvoiceflow import (
    AudioError,
    Cancel,
    CancelledError,
    ClosedError,
    DeadlineError,
    Diarization,
    Diarizer,
    Gallery,
    GalleryError,
    Identity,
    InvalidArgumentError,
    NotFoundError,
    WarningCode,
)
from numpy.typing import NDArray


def turns(audio: NDArray[np.float32], result: Diarization, speaker: int) -> NDArray[np.float32]:
    """What one speaker says alone."""
    parts = [
        audio[int(segment.start * RATE) : int(segment.end * RATE)]
        for segment in result
        if segment.speaker_index == speaker and not segment.overlap
    ]
    return np.concatenate(parts)


@pytest.fixture
def gallery(diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization) -> Gallery:
    """With two of the three speakers."""
    made = Gallery(diarizer)
    made.enroll("Ada", turns(audio, result, 0), RATE)
    made.enroll("Böb", turns(audio, result, 2).astype(np.float64), RATE)
    return made


def test_identify(gallery: Gallery, result: Diarization) -> None:
    names = gallery.identify(result)
    assert [identity.name for identity in names] == ["Ada", None, "Böb"]
    assert all(-1 <= identity.score <= 1 for identity in names)
    one = gallery.identify(result.speakers[2])
    assert one.name == "Böb" and one.score > 0.6
    assert gallery.identify(result.speakers[2].embedding) == one
    assert gallery.identify(result.speakers[0], threshold=1.0).name is None
    assert gallery.identify(np.zeros(result.speakers[0].embedding.size, np.float32)).name is None


def test_names(gallery: Gallery) -> None:
    assert gallery.names == ("Ada", "Böb") and len(gallery) == 2 and list(gallery) == ["Ada", "Böb"]
    assert "Ada" in gallery and "SPEAKER_00" not in gallery
    gallery.remove("Ada")
    assert gallery.names == ("Böb",)
    with pytest.raises(InvalidArgumentError, match="Ada"):
        gallery.remove("Ada")


def test_save_and_load(gallery: Gallery, diarizer: Diarizer, result: Diarization, tmp_path: Path) -> None:
    file = tmp_path / "team.json"
    gallery.save(file)
    with Gallery.load(diarizer, str(file)) as again:
        assert again.names == gallery.names
        # A file holds a few digits of each value.
        assert [name for name, _ in again.identify(result)] == ["Ada", None, "Böb"]
    with pytest.raises(NotFoundError):
        Gallery.load(diarizer, tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("no gallery")
    with pytest.raises(GalleryError):
        Gallery.load(diarizer, tmp_path / "bad.json")
    with pytest.raises(OSError):
        gallery.save(tmp_path / "none" / "team.json")


def test_another_model(gallery: Gallery, tmp_path: Path, recording: Path) -> None:
    gallery.save(tmp_path / "team.json")
    other = Diarizer(model_path=ROOT / "tests/data/models/good.onnx")
    with pytest.raises(GalleryError):
        Gallery.load(other, tmp_path / "team.json")


def test_enroll_by_file_speaker_and_embedding(
    diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization, tmp_path: Path
) -> None:
    import soundfile

    soundfile.write(tmp_path / "ada.wav", turns(audio, result, 0), RATE)
    gallery, told = Gallery(diarizer), []
    gallery.enroll("file", tmp_path / "ada.wav", progress=lambda stage, fraction: told.append(fraction))
    assert told and gallery.identify(result)[0].name == "file"
    gallery.remove("file")
    gallery.enroll("speaker", result.speakers[1])
    gallery.enroll_embedding("embedding", result.speakers[2].embedding.astype(np.float64), 5)
    assert [identity.name for identity in gallery.identify(result)] == [None, "speaker", "embedding"]


def test_enrolling_returns_what_was_found(
    diarizer: Diarizer, audio: NDArray[np.float32], result: Diarization
) -> None:
    said = turns(audio, result, 0)
    gallery = Gallery(diarizer)
    found = gallery.enroll("ada", np.stack([said, -said], axis=1), RATE)
    assert found is not None and len(found.speakers) == 1
    assert [warning.code for warning in found.warnings] == [WarningCode.INVERTED_CHANNELS]
    assert gallery.enroll("ada", found.speakers[0]) is None


def test_enrolling_is_cancelled(diarizer: Diarizer, audio: NDArray[np.float32]) -> None:
    gallery = Gallery(diarizer)
    cancel = Cancel()
    with pytest.raises(CancelledError):
        gallery.enroll("ada", audio, RATE, cancel=cancel, progress=lambda stage, fraction: cancel.set())
    with pytest.raises(DeadlineError):
        gallery.enroll("ada", audio, RATE, deadline_ms=0)
    with pytest.raises(InvalidArgumentError, match="call: num_speakers: expected none, as"):
        gallery.enroll("ada", audio, RATE, num_speakers=1)  # type: ignore[call-arg]

    def failing(stage: libvoiceflow.Stage, fraction: float) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        gallery.enroll("ada", audio, RATE, progress=failing)
    assert len(gallery) == 0


def test_bad_input(gallery: Gallery, audio: NDArray[np.float32], result: Diarization) -> None:
    with pytest.raises(AudioError):
        gallery.enroll("carl", audio[:RATE], RATE)
    with pytest.raises(AudioError):
        gallery.enroll("carl", audio, RATE)
    with pytest.raises(NotFoundError):
        gallery.enroll("carl", "/nowhere.wav")
    voice = result.speakers[0].embedding
    for name in ("", " a", "SPEAKER_00", "a\nb", "x" * 257, "a\0b", 7, None):
        with pytest.raises(InvalidArgumentError):
            gallery.enroll_embedding(name, voice, 5)  # type: ignore[arg-type]
    for values in (voice[:-1], voice[None], voice * 0, voice.astype(np.int32), voice * np.nan, "voice", None):
        with pytest.raises(InvalidArgumentError):
            gallery.enroll_embedding("carl", values, 5)  # type: ignore[arg-type]
    for speech_s in (0, -1, float("nan"), "5", None):
        with pytest.raises(InvalidArgumentError):
            gallery.enroll_embedding("carl", voice, speech_s)  # type: ignore[arg-type]
    for threshold in (2, float("nan"), "0.5"):
        with pytest.raises(InvalidArgumentError, match="threshold"):
            gallery.identify(result, threshold)  # type: ignore[call-overload]
    with pytest.raises(InvalidArgumentError):
        gallery.enroll("carl", audio)
    with pytest.raises(InvalidArgumentError):
        gallery.enroll("carl", "/nowhere.wav", RATE)
    assert gallery.names == ("Ada", "Böb")


def test_nobody(diarizer: Diarizer, result: Diarization) -> None:
    gallery = Gallery(diarizer)
    assert gallery.identify(result.speakers[0]) == Identity(None, -1)
    assert gallery.names == () and [identity.name for identity in gallery.identify(result)] == [None] * 3


def test_threads(gallery: Gallery, result: Diarization) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(50):
                gallery.enroll(f"voice {number} {turn}", result.speakers[1])
                assert {identity.name for identity in gallery.identify(result)} >= {"Ada", "Böb"}
                assert {"Ada", "Böb"} <= set(gallery.names)
                gallery.remove(f"voice {number} {turn}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and gallery.names == ("Ada", "Böb")


def test_closed(diarizer: Diarizer, result: Diarization) -> None:
    gallery = Gallery(diarizer)
    with gallery:
        pass
    for use in (lambda: gallery.names, lambda: gallery.identify(result), lambda: gallery.remove("a")):
        with pytest.raises(ClosedError, match="this Gallery was closed"):
            use()
    own = Diarizer(bundle="fast-cnn")
    gallery = Gallery(own)
    own.close()
    gallery.enroll("ada", result.speakers[0])
    with pytest.raises(ClosedError, match="this Diarizer was closed"):
        gallery.enroll("ada", "/nowhere.wav")
