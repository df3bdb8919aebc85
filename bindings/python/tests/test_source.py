"""Encoded audio from memory and from file objects."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import libvoiceflow
import pytest
from libvoiceflow import AudioError, Cancel, CancelledError, Diarization, Diarizer, InvalidArgumentError


def same(a: Diarization, b: Diarization) -> bool:
    return a.to_json("x") == b.to_json("x")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_content(diarizer: Diarizer, recording: Path, result: Diarization, kind: type) -> None:
    assert same(diarizer.process(kind(recording.read_bytes())), result)


def test_file_objects(diarizer: Diarizer, recording: Path, result: Diarization) -> None:
    with recording.open("rb") as file:
        assert same(diarizer.process(file), result)
    # From its position on.
    behind = io.BytesIO(b"some bytes" + recording.read_bytes())
    behind.seek(10)
    assert same(diarizer.process(behind), result)
    with subprocess.Popen(["cat", recording], stdout=subprocess.PIPE) as cat:
        assert cat.stdout is not None and not cat.stdout.seekable()
        assert same(diarizer.process(cat.stdout), result)


async def _aprocess(diarizer: Diarizer, file: io.BytesIO) -> Diarization:
    return await diarizer.aprocess(file)


def test_async(diarizer: Diarizer, recording: Path, result: Diarization) -> None:
    import asyncio

    assert same(asyncio.run(_aprocess(diarizer, io.BytesIO(recording.read_bytes()))), result)


def test_a_path_need_not_be_utf_8(
    diarizer: Diarizer, recording: Path, result: Diarization, tmp_path: Path
) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.flac")
    with open(path, "wb") as file:
        file.write(recording.read_bytes())
    assert same(diarizer.process(path), result)
    assert same(diarizer.process(Path(path)), result)


class Faulty:
    """Raises, or gives what is no bytes."""

    def __init__(self, given: object) -> None:
        self.given = given

    def read(self, size: int) -> object:
        if isinstance(self.given, BaseException):
            raise self.given
        return self.given


def test_what_a_file_object_raises_is_raised(diarizer: Diarizer) -> None:
    with pytest.raises(ConnectionResetError, match="the line went dead"):
        diarizer.process(Faulty(ConnectionResetError("the line went dead")))  # type: ignore[arg-type]
    for given in ("text", None):
        with pytest.raises(InvalidArgumentError, match="source: expected bytes from its read, got"):
            diarizer.process(Faulty(given))  # type: ignore[arg-type]
    with pytest.raises(libvoiceflow.InputOutputError, match="bytes from a read, got 70000"):
        diarizer.process(Faulty(bytes(70_000)))  # type: ignore[arg-type]


def test_what_is_no_audio(diarizer: Diarizer) -> None:
    with pytest.raises(AudioError, match=r"bytes: expected .*, got an empty file \(0 bytes\)"):
        diarizer.process(b"")
    with pytest.raises(AudioError, match="source: expected .*, got a text file"):
        diarizer.process(io.BytesIO(b"hello"))
    with pytest.raises(InvalidArgumentError, match="sample_rate: expected none with a file"):
        diarizer.process(b"hello", 16_000)


def test_cancelled_between_reads(diarizer: Diarizer) -> None:
    cancel = Cancel()

    class Endless:
        def read(self, size: int) -> bytes:
            cancel.set()
            return bytes(size)

    with pytest.raises(CancelledError):
        diarizer.process(Endless(), cancel=cancel)


def test_enrolling(diarizer: Diarizer, recording: Path) -> None:
    gallery = libvoiceflow.Gallery(diarizer)
    content = recording.read_bytes()
    # Three speakers: found and refused, so decoded.
    for source in (content, io.BytesIO(content)):
        with pytest.raises(AudioError, match="speaker"):
            gallery.enroll("ada", source)
