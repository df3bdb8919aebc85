"""The recording, and a diarizer that tests share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import libvoiceflow
import numpy as np
import pytest
import soundfile
from libvoiceflow._library import library
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[3]
RECORDING = ROOT / "examples/data/conversation.flac"
# A model that takes no time, and one whose inference of many windows takes many seconds.
MODEL = ROOT / "tests/data/models/good.onnx"
SLOW_MODEL = ROOT / "tests/data/models/slow.onnx"
RATE = 16_000
# What a script of a test may take at most, in seconds.
PATIENCE_S = 120
# How soon what is ended has ended: a small part of what it would take otherwise.
SOON_S = 10
# Most times that this is tried: a machine that does other work may hold up anybody once.
TRIES = 5


@pytest.fixture(scope="session")
def recording() -> Path:
    """52 s of three speakers."""
    return RECORDING


@pytest.fixture(scope="session")
def audio() -> NDArray[np.float32]:
    """The recording as [n_frames], 16 kHz."""
    samples, rate = soundfile.read(RECORDING, dtype="float32")
    assert rate == RATE and samples.ndim == 1
    samples.flags.writeable = False
    return samples


@pytest.fixture(scope="session")
def diarizer() -> Iterator[libvoiceflow.Diarizer]:
    """With the fast model: most tests ask nothing about accuracy."""
    with libvoiceflow.Diarizer(bundle="fast-cnn") as made:
        yield made


@pytest.fixture(scope="session")
def session() -> Iterator[libvoiceflow.Session]:
    """With one thread."""
    with libvoiceflow.Session(threads=1) as made:
        yield made


@pytest.fixture(scope="session")
def result(diarizer: libvoiceflow.Diarizer, recording: Path) -> libvoiceflow.Diarization:
    """Who spoke when in the recording."""
    return diarizer.process(recording)


@pytest.fixture
def stream(diarizer: libvoiceflow.Diarizer) -> Iterator[libvoiceflow.Stream]:
    """Of 16 kHz mono."""
    with diarizer.stream(RATE) as made:
        yield made


def chunks(audio: NDArray[np.float32], size: int = RATE // 2) -> list[NDArray[np.float32]]:
    """Pieces of `size` samples, half a second where nothing is said."""
    return [audio[at : at + size] for at in range(0, len(audio), size)]


class Between:
    """The library, with something done before or after each answer of one function."""

    def __init__(
        self,
        function: str,
        before: Callable[[], object] = lambda: None,
        after: Callable[[int], object] = lambda status: None,
    ) -> None:
        self._library, self._function, self._before, self._after = library(), function, before, after

    def __getattr__(self, name: str) -> object:
        function = getattr(self._library, name)
        if name != self._function:
            return function

        def call(*arguments: object) -> int:
            self._before()
            status = int(function(*arguments))
            self._after(status)
            return status

        return call


def ends_soon(call: Callable[[], object]) -> None:
    """Makes a call that is ended, once more where its end took long."""
    took_s: list[float] = []
    while not took_s or took_s[-1] >= SOON_S:
        assert len(took_s) < TRIES, f"expected the end within {SOON_S} s, took {took_s}"
        start = time.monotonic()
        call()
        took_s.append(time.monotonic() - start)


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python program of its own, with faults traced."""
    command = [sys.executable, "-X", "faulthandler", "-c", script, *arguments]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def run(script: str, *arguments: str) -> str:
    """What such a program prints; it must end well and say nothing else."""
    program = start(script, *arguments)
    try:
        output, errors = program.communicate(timeout=PATIENCE_S)
    finally:
        program.kill()
    assert (program.returncode, errors) == (0, ""), (program.returncode, output, errors)
    return output


def memory() -> int:
    """Resident memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
