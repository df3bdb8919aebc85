"""The command, with processes of its own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import workers
import yaml
from voiceflow_batch.__main__ import _arguments, main

RECORDINGS = 12


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "voiceflow_batch", "--models", "fast-cnn", *map(str, words)]


def said(*words: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=workers.PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


def test_a_worker_is_killed(folder: Callable[..., Path], tmp_path: Path) -> None:
    place = folder(*(f"{number:02}.flac" for number in range(RECORDINGS)))
    table = tmp_path / "turns"
    words = command(place, table, "--workers", "2", "--part-size", "2")
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    workers.kill_one(lambda: table.is_dir() and any(table.glob("part-*")))
    parts = len(list(table.glob("part-*")))
    out, err = running.communicate(timeout=workers.PATIENCE_S)
    assert running.returncode == 0 and "not in" not in err, err
    assert parts < RECORDINGS / 2, "it was killed at the end"
    assert out.startswith(f"{RECORDINGS} of {RECORDINGS} recordings, 0 were there\n0.17 h of audio in ")
    rows = pq.read_table(table).to_pylist()
    assert set(Counter((row["recording"], row["turn"]) for row in rows).values()) == {1}
    assert len({row["recording"] for row in rows}) == RECORDINGS
    assert (
        len({sum(row["recording"] == name for row in rows) for name in {r["recording"] for r in rows}}) == 1
    )


def test_what_the_command_says(folder: Callable[..., Path], tmp_path: Path) -> None:
    place, table = folder("a.flac"), tmp_path / "turns"
    (place / "b.wav").write_text("no audio")
    (place / "c.txt").write_text("notes")
    code, out, err = said(place, table)
    assert code == 0 and out.startswith("2 of 2 recordings, 0 were there\n"), err
    assert "1 files of other kinds" in err and "b.wav: " in err and "1 recordings failed" in err
    code, out, err = said(place, table)
    assert (code, out) == (0, "0 of 2 recordings, 2 were there\n") and err.count("\n") == 1, err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "turns"], "nowhere: expected recordings ("),
        (["meetings", "turns", "--", "spark.x=1"], "local: expected no options of an engine, got spark.x=1"),
        (["meetings", "meetings/a.flac"], "meetings/a.flac"),
        (["meetings", "turns", "--workers", "0"], "workers: expected 1 or more, got 0"),
    ],
)
def test_a_wrong_command(
    words: list[str],
    said: str,
    folder: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder("a.flac")
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("voiceflow_batch: ") and said in err and err.count("\n") == 1


def test_a_worker_says_why_there_is_no_diarizer(folder: Callable[..., Path], tmp_path: Path) -> None:
    code, _, err = said(folder("a.flac"), tmp_path / "turns", "--models", "nowhere")
    assert code == 1 and err.startswith("voiceflow_batch: no diarizer can be made: ") and err.count("\n") == 1


def test_the_manifest_for_kuberay_has_a_command_that_is_understood() -> None:
    job = yaml.safe_load((workers.ROOT / "deploy/kuberay/rayjob.yaml").read_text())
    python, option, module, *words = shlex.split(job["spec"]["entrypoint"])
    assert (python, option, module) == ("python", "-m", "voiceflow_batch")
    arguments = _arguments(words)
    assert (
        arguments.engine == "ray" and arguments.input.startswith("s3://") and arguments.engine_options == []
    )
