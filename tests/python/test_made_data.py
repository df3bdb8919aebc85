"""What a stranger without the data is told, and what `make data` makes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts/data.py"
sys.path.insert(0, str(ROOT / "scripts"))

import data  # noqa: E402


def test_what_is_missing_is_named_with_its_source(tmp_path: Path) -> None:
    command = [sys.executable, SCRIPT, "need", tmp_path, "train", "noise"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout
    for words in ("train: not there: single speakers", "OpenSLR 12", "noise: not there", "`make data`"):
        assert words in done.stderr
    (tmp_path / "train").mkdir()
    (tmp_path / "train/index.csv").touch()
    done = subprocess.run(command[:-1], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("measure", "eval/tune: not there"),
        ("measure-streaming", "eval/tune: not there"),
        ("test-steady", "eval/tune: not there"),
        ("sim-test", "train: not there"),
        ("sim-test-ami", "rir: not there"),
    ],
)
def test_targets_that_need_data_end_in_words(tmp_path: Path, target: str, words: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["make", "--no-print-directory", target, f"DATA={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and "cargo" not in done.stdout


def test_the_published_part_is_what_was_measured(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, SCRIPT, "make", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "12 recordings" in done.stdout and "aws_call_40" in done.stdout
    made = {path.stem: path for path in tmp_path.rglob("*.flac")}
    assert set(made) == {f"ami_{name}" for name in data.TUNE + data.TEST}
    for name, path in made.items():
        samples, rate = soundfile.read(path, dtype="int16")
        assert (rate, data.digest(samples)) == (16_000, data.SAMPLES[name.removeprefix("ami_")])
        assert f"SPEAKER {name} 1 " in path.with_suffix(".rttm").read_text()
