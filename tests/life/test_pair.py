"""A bundle of two models on the same way as one of one: measured by evaluate.py, held against the
gates, published."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from registries import PROGRAMS, ROOT, Folder, models, publisher, publishing

EVALUATE = ROOT / "models/diarization/evaluate.py"
MADE = ROOT / ".models/accurate"


def evaluate(folder: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, EVALUATE, "--model", folder, *more, "--voiceflow", PROGRAMS / "voiceflow"]
    # As where both packages are installed.
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "models/public")}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """The bundle out of published weights, without a report."""
    assert (MADE / "metadata.json").is_file(), f"{MADE}: not there; run `make models-accurate`"
    return Path(shutil.copytree(MADE, tmp_path / "accurate"))


def test_a_pair_is_measured_and_published(pair: Path, recordings: Path, tmp_path: Path) -> None:
    store = Folder(tmp_path / "registry")
    environment = publisher(store, tmp_path)
    done = publishing(pair, [], environment)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "validation_report.json: expected the report of an evaluation, there is none" in done.stdout

    done = evaluate(pair, "--recordings", recordings, "--out", tmp_path / "out", "--keep")
    assert done.returncode == 0, done.stderr
    assert "| conversations | DER % |" in done.stdout
    kept = json.loads((pair / "validation_report.json").read_text())["evaluation"]
    assert kept == json.loads((tmp_path / "out/report.json").read_text())
    assert (kept["model"]["name"], kept["model"]["version"]) == ("accurate", "1.1.0")
    files = kept["model"]["files"]
    assert set(files) == {"segmentation.onnx", "embedding.onnx"}
    assert all(hashlib.sha256((pair / file).read_bytes()).hexdigest() == files[file] for file in files)
    der = kept["diarization"]["conversations"]["overall"]["der"]
    assert 0 < der < 0.5 and (tmp_path / "out/timeline-conversations.png").is_file()
    # All three speakers were found, so that nothing changes when their number is told.
    assert kept["diarization"]["conversations"]["count_right"] == 1
    assert kept["diarization"]["conversations"]["count_told"]["der"] == der
    within = kept["diarization"]["conversations"]["within"]
    assert [one["seconds"] for one in within] == [1.0, 2.0]
    assert all(one["stretches"] > 10 and one["unheard"] == 0 for one in within), within
    assert all(one["equal_error_rate"] < 0.1 for one in within), within

    strict = tmp_path / "gates.toml"
    strict.write_text(f"[all]\n[models.accurate.der]\nconversations = {der - 0.001}\n")
    done = publishing(pair, ["--gates", strict], environment)
    assert done.returncode == 1 and f"found {100 * der:.2f} %" in done.stdout, done.stdout + done.stderr
    assert not store.path.joinpath("accurate/1.1.0").exists()
    done = publishing(pair, [], environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(store.read("accurate/channels/stable.json"))["version"] == "1.1.0"
    models(environment, "verify", "accurate@stable")


def test_a_pair_is_not_measured_as_one_network(pair: Path, recordings: Path, tmp_path: Path) -> None:
    out = ["--out", tmp_path / "out", "--keep"]
    done = evaluate(pair, *out)
    assert done.returncode == 1 and "--recordings: expected folders" in done.stderr, done.stderr
    done = evaluate(pair, *out, "--recordings", recordings, "--data", tmp_path)
    assert done.returncode == 1 and "--data: expected a joint model with it, got the pair" in done.stderr
    (pair / "embedding.onnx").unlink()
    done = evaluate(pair, *out, "--recordings", recordings)
    assert done.returncode == 1 and "found no embedding.onnx" in done.stderr, done.stderr
    assert not (pair / "validation_report.json").exists()
