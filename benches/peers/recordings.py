"""Makes the recordings that all contenders work on, with their references: real speech joined to a
length."""

import wave
from pathlib import Path
from typing import NamedTuple

import numpy
import soundfile

SAMPLE_RATE = 16000  # Hz


class Turn(NamedTuple):
    """One line of a reference: seconds, and the speaker's name."""

    start_s: float
    end_s: float
    speaker: str


class Recording(NamedTuple):
    """A 16 kHz mono 16-bit WAV file and its reference, None if there is none."""

    name: str
    path: Path
    seconds: float
    reference: list[Turn] | None


def turns_of(path: Path) -> list[Turn]:
    """The turns of an RTTM file."""
    turns = []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if fields and fields[0] == "SPEAKER":
            start, duration = float(fields[3]), float(fields[4])
            turns.append(Turn(start, start + duration, fields[7]))
    return turns


def sources(data: Path, fallback: Path) -> list[Path]:
    """The conversations to join: all of `data` (tune and test, by name), else the one that
    ships."""
    found = sorted(path for path in data.glob("*/*.flac") if path.with_suffix(".rttm").exists())
    return found or [fallback]


def joined(parts: list[Path], seconds: float, folder: Path) -> Recording:
    """The parts one after another, over and over, cut at exactly `seconds`."""
    length, at = round(seconds * SAMPLE_RATE), 0
    audio = numpy.zeros(length, numpy.int16)
    reference: list[Turn] = []
    while at < length:
        for part in parts:
            piece = _samples(part)[: length - at]
            audio[at : at + len(piece)] = piece
            offset, end = at / SAMPLE_RATE, (at + len(piece)) / SAMPLE_RATE
            for turn in turns_of(part.with_suffix(".rttm")):
                moved = Turn(turn.start_s + offset, min(turn.end_s + offset, end), turn.speaker)
                if moved.start_s < moved.end_s:
                    reference.append(moved)
            at += len(piece)
    name = f"joined_{seconds:g}s"
    return Recording(name, _written(audio, folder / f"{name}.wav"), length / SAMPLE_RATE, reference)


def given(path: Path, folder: Path) -> Recording:
    """A file of the user, with the reference beside it (.rttm) where there is one."""
    audio = _samples(path)
    reference = path.with_suffix(".rttm")
    turns = turns_of(reference) if reference.exists() else None
    return Recording(path.stem, _written(audio, folder / f"{path.stem}.wav"), len(audio) / SAMPLE_RATE, turns)


def _samples(path: Path) -> numpy.ndarray:
    audio, rate = soundfile.read(path, dtype="int16")
    if rate != SAMPLE_RATE or audio.ndim != 1:
        raise SystemExit(f"{path}: expected 16 kHz mono, got {rate} Hz, shape {audio.shape}")
    return audio


def _written(audio: numpy.ndarray, path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(audio.astype("<i2").tobytes())
    return path
