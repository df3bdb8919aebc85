"""The client in examples/python, as its first comment says to run it."""

import subprocess
import sys
from pathlib import Path

from conftest import ROOT
from test_clients import FRAME_BYTES, RATE, samples

EXAMPLE = ROOT / "examples/python/server_client.py"
LIVE_S = 6


def run(*arguments: str, audio: bytes = b"") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), *arguments]
    done = subprocess.run(command, input=audio, capture_output=True, timeout=600)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_recording_is_posted(address: str, recording: Path) -> None:
    done = run(f"http://{address}", str(recording))
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) > 5, done.stderr
    assert lines[0].split() == ["0.56", "5.24", "SPEAKER_00"]
    refused = run(f"http://{address}", str(EXAMPLE))
    assert refused.returncode == 1 and refused.stderr.startswith("400: "), refused.stderr


def test_samples_are_streamed(address: str, recording: Path) -> None:
    audio = samples(recording)[: LIVE_S * RATE * FRAME_BYTES]
    done = run("--live", f"http://{address}", "-", audio=audio)
    assert done.returncode == 0, done.stderr
    assert {line.split()[2] for line in done.stdout.splitlines()} >= {"SPEAKER_00"}, done.stdout
