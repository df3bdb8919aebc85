"""`python -m libvoiceflow`, and what the package says of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import libvoiceflow
import pytest
from conftest import MODEL, PATIENCE_S, RATE, ROOT
from libvoiceflow import Cancel, Diarization, Diarizer, Gallery, Session, Stream


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "libvoiceflow", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE_S, check=False)


def test_formats(recording: Path, result: Diarization) -> None:
    fast = "--bundle", "fast-cnn", str(recording)
    said = run(*fast)
    assert (said.returncode, said.stderr) == (0, "")
    lines = said.stdout.splitlines()
    assert len(lines) == len(result) and lines[0].split()[2] == "SPEAKER_00"
    assert run("--format", "rttm", *fast).stdout == result.to_rttm("conversation")
    assert run("--format", "srt", *fast).stdout == result.to_srt()
    assert run("--format", "vtt", *fast).stdout == result.to_vtt()
    said = run("--format", "json", *fast, str(recording))
    documents = [json.loads(line) for line in said.stdout.splitlines()]
    assert documents == [json.loads(result.to_json("conversation"))] * 2


def test_failures(recording: Path) -> None:
    said = run("--bundle", "fast-cnn", "nowhere.wav", str(recording))
    assert said.returncode == 1 and said.stderr == "voiceflow: nowhere.wav: no such file\n"
    assert said.stdout.startswith(f"{recording}:\n")
    said = run("--bundle", "nowhere", str(recording))
    assert said.returncode == 1 and said.stderr.startswith("voiceflow: bundle nowhere: expected ")
    assert run("--num-speakers", "two", "a.wav").returncode == 2
    assert run().returncode == 2


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
