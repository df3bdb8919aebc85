"""A model from its first training step to a server under load: trained, exported, published to S3
(moto) and promoted by the programs that a release has. Needs PyTorch: `make test-models`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from registries import ROOT, Bucket, models, publish, publisher, publishing, wait_until
from servers import Load, check_served, end, post, serve

pytest.importorskip("torch", reason="PyTorch is needed to train; install models/diarization")

TRAINING = ROOT / "models/diarization"
TUNING = TRAINING / "tuning.json"
SHIPPED = ROOT / "models/fast-cnn/1.0.1"


def training(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A program of the training."""
    return subprocess.run([sys.executable, TRAINING / program, *arguments], capture_output=True, text=True)


def test_what_was_trained_runs_in_a_server_under_load(
    bucket: Bucket, windows: Path, recordings: Path, tmp_path: Path
) -> None:
    steps = ["--epochs", "1", "--batch", "2"]
    done = training("train_fast_cnn.py", "--data", windows, "--out", tmp_path / "run", *steps)
    assert done.returncode == 0, done.stderr
    trained = tmp_path / "trained"
    checkpoint = tmp_path / "run/checkpoint.pt"
    tuning = tmp_path / "tuning.json"
    # A PLDA wants more voices than there are.
    tuning.write_text(json.dumps(json.loads(TUNING.read_text()) | {"clustering": "average"}))
    export = ["export_onnx.py", "--checkpoint", checkpoint, "--out", trained, "--version", "1.1.0"]
    refused = training(*export)
    assert refused.returncode == 2 and "clustering by vbx needs --calibration" in refused.stderr
    assert not trained.exists()
    done = training(*export, "--tuning", tuning)
    assert done.returncode == 0, done.stderr

    # It has learned nothing: the gates of the shipped model refuse it, and those of this test do
    # not.
    lax = tmp_path / "gates.toml"
    lax.write_text("[all]\n")
    environment = publisher(bucket, tmp_path)
    publish(Path(shutil.copytree(SHIPPED, tmp_path / "shipped")), recordings, environment)
    server, address, _ = serve(environment, tmp_path / "cache", "fast-cnn@stable")
    load = Load(address)
    try:
        assert post(address) == "fast-cnn/1.0.1"
        refused = publishing(trained, ["--recordings", recordings], environment)
        assert refused.returncode == 1 and "DER on conversations" in refused.stdout, refused.stdout
        done = publishing(trained, ["--gates", lax], environment)
        assert done.returncode == 0, done.stdout + done.stderr
        wait_until("the server follows the channel", lambda: post(address) == "fast-cnn/1.1.0")
        models(environment, "rollback", "fast-cnn@stable")
        wait_until("the server goes back", lambda: post(address) == "fast-cnn/1.0.1")
    finally:
        found = load.end()
        end(server)
    check_served(found)
