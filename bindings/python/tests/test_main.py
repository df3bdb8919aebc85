"""`python -m libvoiceflow`, and what the package says of itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import libvoiceflow
import onnxruntime
import pytest
from conftest import MODEL, PATIENCE_S, RATE, ROOT
from libvoiceflow import Cancel, Diarization, Diarizer, Gallery, Session, Stream, _command


def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "libvoiceflow", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=PATIENCE_S, check=False
    )


def test_it_is_the_command_line(recording: Path, result: Diarization) -> None:
    said = run("diarize", "--models", "fast-cnn", "--format", "rttm", recording)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == result.to_rttm("conversation")
    said = run("diarize", "nowhere.wav")
    assert said.returncode == 1 and said.stderr == "voiceflow: nowhere.wav: no such file\n"
    assert run("diarise").returncode == 2


def test_it_has_the_runtime_of_the_package(tmp_path: Path) -> None:
    """Of the Python environment, where the program lies alone."""
    program = shutil.copy(_command._program(), tmp_path)
    script = f"""
import os
from pathlib import Path
from libvoiceflow import _command
_command._program = lambda: Path({str(program)!r})
_command.main(["info"])
"""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    assert f"({Path(onnxruntime.__file__).resolve().parent}/capi/libonnxruntime.so" in done.stdout


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """A script of that name in PATH is no program: it may be the one that has just started."""
    script = tmp_path / "voiceflow"
    script.write_text("#!/bin/sh\nexit 7\n")
    script.chmod(0o755)
    said = run("info", PATH=str(tmp_path), VOICEFLOW_LIBRARY="")
    assert said.returncode == 127
    assert said.stderr.startswith("voiceflow: the program is not there: expected ")


def test_version() -> None:
    assert libvoiceflow.__version__ == libvoiceflow.version()
    assert f'version = "{libvoiceflow.__version__}"' in (ROOT / "Cargo.toml").read_text()
    assert run("--version").stdout == f"voiceflow {libvoiceflow.__version__}\n"
    with pytest.raises(AttributeError, match="'libvoiceflow' has no attribute 'nothing'"):
        libvoiceflow.nothing  # noqa: B018


def test_reprs(diarizer: Diarizer) -> None:
    version = diarizer.info.version
    assert repr(diarizer) == f"<Diarizer: fast-cnn {version} on cpu>"
    with Session(model_path=MODEL, threads=1) as session:
        assert repr(session).startswith("<Session: ") and repr(session).endswith(" on cpu>")
        inference = session.infer([0.0] * RATE)
        frames = session.frames(RATE)
        activity = f"activity [{frames}, {session.info.max_speakers}]"
        assert repr(inference).startswith(f"<Inference: {activity}, embedding [")
    assert repr(session) == "<Session: closed>"
    with diarizer.stream(48_000, 2, latency_s=2) as stream:
        assert (
            repr(stream).startswith("<Stream: 48000 Hz, 2 channels, latency 2.")
            and repr(stream)[-3:] == " s>"
        )
        stream.finish()
        assert repr(stream).endswith(" s, finished>")
    assert repr(stream) == "<Stream: closed>" and isinstance(stream, Stream)
    gallery = Gallery(diarizer)
    assert repr(gallery) == "<Gallery: 0 voices>"
    gallery.enroll_embedding("ada", [1.0] * diarizer.info.embedding_dim, 5.0)
    assert repr(gallery) == "<Gallery: 1 voice>"
    cancel = Cancel()
    assert repr(cancel) == "<Cancel: not set>"
    cancel.set()
    assert repr(cancel) == "<Cancel: set>"
