"""The network: shapes, the contract, losses that do not know the speakers' order, training,
export."""

import os
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to train; install models/diarization")

from torch.nn.functional import one_hot  # noqa: E402
from voiceflow_models.export.graph import Properties, compare, export, stamp  # noqa: E402
from voiceflow_models.layout import MAX_SPEAKERS, POWERSET, WINDOW_SAMPLES, frames_of  # noqa: E402
from voiceflow_models.networks.checkpoint import load  # noqa: E402
from voiceflow_models.networks.fast_cnn import FastCnn  # noqa: E402
from voiceflow_models.networks.frontend import (  # noqa: E402
    FRAME_SAMPLES,
    LARGEST_MASK,
    MEL_BANDS,
    LogMel,
    mel_filters,
    recoloured,
)
from voiceflow_models.powerset import permute_classes  # noqa: E402
from voiceflow_models.training.losses import (  # noqa: E402
    ORDERS,
    AngularMargin,
    affinity_loss,
    by_arrival,
    ordered_cross_entropy,
    permuted,
)


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
    losses = [permuted(ordered_cross_entropy(scores, target[:, :, order])).item() for order in ORDERS]
    assert np.ptp(losses) < 1e-5


@pytest.mark.parametrize("order", list(permutations(range(MAX_SPEAKERS))))
def test_the_order_of_arrival_is_that_in_which_speakers_begin(order):
    # Silence, then one after another, then the first again, who talks over the last.
    arriving = torch.tensor([[0, 0, 1, 1, 2, 2, 3, 1, 5]])
    named = torch.tensor(permute_classes(order))[arriving]
    target = one_hot(named, len(POWERSET)).float()
    scores = 20 * one_hot(arriving, len(POWERSET)).float()
    losses = ordered_cross_entropy(scores, target)
    assert by_arrival(losses, named) < 1e-3
    wrong = ordered_cross_entropy(20 * one_hot(named, len(POWERSET)).float(), target)
    assert by_arrival(wrong, named) > 1 or order == tuple(range(MAX_SPEAKERS))
    assert permuted(wrong) < 1e-3


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
    stamp(path, Properties("test", "0.0.1", 4.0, 2.0, thresholds, {}, model.embedding_dim))
    assert compare(model, path)["largest_difference_from_pytorch"] < 1e-4


def test_training_lowers_the_loss_and_can_be_resumed(tmp_path, windows):
    program = Path(__file__).parents[1] / "train_fast_cnn.py"
    command = [sys.executable, program, "--data", windows]
    command += ["--out", tmp_path / "run", "--batch", "2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for more in (["--epochs", "25"], ["--epochs", "50", "--resume"]):
        subprocess.run([*command, *more], check=True, capture_output=True, env=environment)
    lines = (tmp_path / "run" / "curve.csv").read_text().splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    assert [row["step"] for row in rows] == ["50", "100"]
    assert float(rows[1]["activity"]) < float(rows[0]["activity"])
    trained = load(tmp_path / "run" / "checkpoint.pt")
    assert (trained.kind, trained.steps) == ("fast-cnn", 100)


def test_recoloured_features_keep_their_time():
    torch.manual_seed(2)
    features = torch.randn(8, MEL_BANDS, 20)
    change = recoloured(features) - features
    smooth = change.std(dim=2) < 1e-5
    # But for masked bands, every frame of a window changes alike, and every window in its own way.
    assert smooth.any(dim=1).all()
    masked = (~smooth).sum(dim=1)
    assert 0 < masked.max() <= LARGEST_MASK
    assert (masked == 0).any()
    curves = torch.where(smooth, change[:, :, 0], torch.zeros(()))
    assert (curves[0] - curves[1]).abs().max() > 0.1


def test_the_folded_transform_is_the_fourier_transform():
    front = LogMel()
    audio = torch.randn(2, 8000, generator=torch.Generator().manual_seed(3)) * 0.1
    frames = front.frames(audio)
    used = np.flatnonzero(mel_filters().any(axis=0))
    order = np.concatenate([used[used % 2 == 0], used[used % 2 == 1]])
    windowed = frames.numpy().astype(float) * np.hanning(FRAME_SAMPLES + 1)[:-1, None]
    expected = np.abs(np.fft.rfft(windowed, axis=1))[:, order] ** 2
    assert np.allclose(front.power(frames).numpy(), expected, atol=1e-4)


def test_features_do_not_depend_on_the_level_unless_it_is_low():
    front = LogMel()
    audio = torch.randn(1, 32_000, generator=torch.Generator().manual_seed(3)) * 0.3
    assert torch.allclose(front(audio), front(audio * 0.3), atol=2e-2)
    # At -60 dBFS a window looks as quiet as it is.
    lower = (front(audio) - front(audio * 0.001 / 0.3)).mean()
    assert 1.5 < lower < 3.5


def test_giving_two_speakers_one_slot_costs_affinity():
    exact = torch.tensor([[1] * 20 + [2] * 20])
    apart = torch.full((1, 40, len(POWERSET)), -5.0)
    apart[0, :20, 3] = apart[0, 20:, 1] = 5.0  # any slots will do, as long as they are two
    merged = torch.full((1, 40, len(POWERSET)), -5.0)
    merged[0, :, 1] = 5.0
    hedged = torch.zeros(1, 40, len(POWERSET))
    assert affinity_loss(apart, exact) < 0.01 < 0.3 < affinity_loss(hedged, exact)
    assert affinity_loss(merged, exact) > 1.0
