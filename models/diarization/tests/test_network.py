"""The network: shapes, the contract, losses that do not know the speakers' order, training, export."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to train; install models/diarization")

from voiceflow_models.export import Properties, compare, export, stamp  # noqa: E402
from voiceflow_models.layout import MAX_SPEAKERS, POWERSET, WINDOW_FRAMES, WINDOW_SAMPLES  # noqa: E402
from voiceflow_models.losses import ORDERS, AngularMargin, permuted_cross_entropy  # noqa: E402
from voiceflow_models.model import FastCnn, frames_of  # noqa: E402


@pytest.mark.parametrize("samples", [640, 700, 1000, 12_345, 48_000, WINDOW_SAMPLES])
def test_shapes(samples):
    model = FastCnn().eval()
    with torch.no_grad():
        activity, embedding = model(torch.randn(2, samples) * 0.05)
    assert activity.shape == (2, frames_of(samples), MAX_SPEAKERS)
    assert embedding.shape == (2, MAX_SPEAKERS, model.embedding_dim)
    length = embedding.norm(dim=2)
    assert bool((((length - 1).abs() < 1e-3) | (length == 0)).all())


def test_the_loss_does_not_depend_on_the_order_of_speakers():
    torch.manual_seed(0)
    scores = torch.randn(3, 40, len(POWERSET))
    target = torch.softmax(torch.randn(3, 40, len(POWERSET)), dim=2)
    losses = [permuted_cross_entropy(scores, target[:, :, order])[0].item() for order in ORDERS]
    assert np.ptp(losses) < 1e-5


def test_the_margin_makes_the_right_voice_harder():
    torch.manual_seed(0)
    margin = AngularMargin(16, 10)
    embedding, voice = torch.randn(8, 16), torch.arange(8)
    assert margin(embedding, voice, 1.0)[0] > margin(embedding, voice, 0.0)[0]


def test_export_agrees_with_pytorch(tmp_path):
    torch.manual_seed(1)
    model = FastCnn()
    path = tmp_path / "model.onnx"
    export(model, path)
    thresholds = {"onset": 0.5, "offset": 0.5, "clustering": 0.5}
    stamp(path, Properties("test", "0.0.1", 4.0, 2.0, thresholds, model.embedding_dim))
    assert compare(model, path)["largest_difference_from_pytorch"] < 1e-4


def test_training_lowers_the_loss_and_can_be_resumed(tmp_path):
    random = np.random.default_rng(0)
    shard = tmp_path / "windows" / "shard-00000"
    shard.mkdir(parents=True)
    exact = random.integers(0, 2, (4, WINDOW_FRAMES // 50)).repeat(50, axis=1).astype(np.uint8)
    loud = exact.repeat(WINDOW_SAMPLES // WINDOW_FRAMES, axis=1)
    audio = random.standard_normal((4, WINDOW_SAMPLES)) * np.where(loud, 3000, 30)
    arrays = {
        "audio": audio.astype(np.int16),
        "exact": exact,
        "voices": np.array([[0, -1, -1]] * 4),
        "teacher": (np.eye(len(POWERSET))[exact] * 255).astype(np.uint8),
    }
    for name, values in arrays.items():
        np.save(shard / f"{name}.npy", values)
    command = [sys.executable, "-m", "voiceflow_models.train", "--windows", tmp_path / "windows"]
    command += ["--runs", tmp_path / "run", "--voices", "2", "--batch", "2"]
    root = Path(__file__).parents[1]
    subprocess.run([*command, "--steps", "50"], check=True, cwd=root, capture_output=True)
    subprocess.run([*command, "--steps", "100", "--resume"], check=True, cwd=root, capture_output=True)
    rows = [line.split(",") for line in (tmp_path / "run" / "curve.csv").read_text().splitlines()]
    assert [row[0] for row in rows] == ["50", "100"]
    assert float(rows[1][3]) < float(rows[0][3])
