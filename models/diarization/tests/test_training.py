"""The training loop: repeatable, resumable, in several processes, with curves."""

import csv
import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to train; install models/diarization")

from voiceflow_models.layout import FRAME_STEP, POWERSET, SAMPLE_RATE, WINDOW_FRAMES  # noqa: E402
from voiceflow_models.networks.fast_cnn import FastCnn, FastCnnConfig  # noqa: E402
from voiceflow_models.training import loop  # noqa: E402
from voiceflow_models.training.losses import AngularMargin  # noqa: E402
from voiceflow_models.training.pool import LENGTHS_S, WindowPool  # noqa: E402

SIZES = FastCnnConfig(channels=16, voice_channels=16, context_layers=1, embedding_dim=16)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Curves after every step, checkpoints after every third."""
    monkeypatch.setattr(loop, "REPORT_STEPS", 1)
    monkeypatch.setattr(loop, "SAVE_STEPS", 3)


def trainer(windows: Path, out: Path, *more: str) -> loop.Trainer:
    """A small network on six steps, unless ``more`` says otherwise."""
    parser = ArgumentParser()
    loop.add_arguments(parser)
    options = ["--data", windows, "--out", out, "--batch", "2", "--epochs", "3", *more]
    return loop.Trainer(lambda: FastCnn(SIZES), "fast-cnn", parser.parse_args(list(map(str, options))))


def curve(out: Path) -> list[dict[str, str]]:
    """The rows of a run's curve but for the time they took."""
    with open(out / "curve.csv", newline="") as file:
        return [{name: row[name] for name in row if name != "seconds"} for row in csv.DictReader(file)]


def test_a_seed_fixes_the_curve(windows, tmp_path):
    for name, seed in (("one", "3"), ("same", "3"), ("other", "4")):
        trainer(windows, tmp_path / name, "--seed", seed).run()
    assert len(curve(tmp_path / "one")) == 6
    assert curve(tmp_path / "one") == curve(tmp_path / "same")
    assert curve(tmp_path / "one") != curve(tmp_path / "other")


def test_a_run_that_was_broken_off_goes_on_as_if_it_had_not(windows, tmp_path, monkeypatch):
    whole = trainer(windows, tmp_path / "whole")
    whole.run()
    broken = trainer(windows, tmp_path / "broken")
    step = broken._step
    monkeypatch.setattr(broken, "_step", lambda *given: step(*given) if broken.step < 5 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        broken.run()
    assert len(curve(tmp_path / "broken")) == 5
    resumed = trainer(windows, tmp_path / "broken", "--resume")
    assert resumed.step == 3
    resumed.run()
    assert curve(tmp_path / "broken") == curve(tmp_path / "whole")
    for name, values in whole.averaged.state_dict().items():
        assert torch.equal(values, resumed.averaged.state_dict()[name]), name


def test_shorter_batches_are_cuts_of_more_windows(windows):
    pool = WindowPool(windows, seed=5)
    lengths = set()
    for _ in range(20):
        batch = pool.draw(6)
        rows, frames = batch.exact.shape
        lengths.add(frames * FRAME_STEP // SAMPLE_RATE)
        assert rows * frames == 6 * WINDOW_FRAMES
        assert batch.audio.shape == (rows, frames * FRAME_STEP)
        assert batch.target.shape == (rows, frames, len(POWERSET))
        # In the fixture it is loud exactly where somebody talks.
        power = batch.audio.reshape(rows, frames, FRAME_STEP).square().mean(dim=2)
        assert torch.equal(power > 1e-4, batch.exact > 0)
    assert lengths == set(LENGTHS_S)


def test_windows_that_came_later_do_not_lengthen_a_resumed_run(windows, tmp_path):
    trainer(windows, tmp_path / "run").run()
    shutil.copytree(windows / "shard-00000", windows / "shard-00001")
    resumed = trainer(windows, tmp_path / "run", "--resume", "--epochs", "4")
    resumed.run()
    assert resumed.step == 8
    assert [row["step"] for row in curve(tmp_path / "run")] == list("12345678")


def test_a_batch_without_voices_teaches_no_voice():
    margin = AngularMargin(8, 4)
    embedding = torch.randn(3, 8, requires_grad=True)
    loss, right = margin(embedding[:0], torch.zeros(0, dtype=torch.long), 1.0)
    loss.backward()
    assert (loss.item(), right.item()) == (0.0, 0.0)
    assert not margin.weight.grad.any() and not embedding.grad.any()


def test_two_processes_train_one_network(windows, tmp_path):
    shutil.copytree(windows / "shard-00000", windows / "shard-00001")
    # With one window at a time, a process often has a batch without voices.
    np.save(windows / "shard-00001" / "voices.npy", np.full((4, 3), -1))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [Path(__file__).parent / "two_processes.py", "--data", windows, "--out", tmp_path / "run"]
    # Long enough for many steps on any machine, whichever process is the faster.
    command += ["--batch", "1", "--minutes", "0.04"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, capture_output=True, env=environment, timeout=300)
    one, two = (torch.load(tmp_path / "run" / f"process-{rank}.pt") for rank in range(2))
    assert one["steps"] == two["steps"] > 2
    assert np.isfinite(one["totals"]).all() and np.isfinite(two["totals"]).all()
    assert one["totals"] != two["totals"], "both processes drew the same windows"
    for part in ("network", "objective"):
        for name, values in one[part].items():
            assert torch.equal(values, two[part][name]), name


def test_curves_for_tensorboard(windows, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    trainer(windows, tmp_path / "run", "--tensorboard").run()
    found = events.EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    shown = [f"{event.value:.4f}" for event in found.Scalars("activity")]
    assert shown == [row["activity"] for row in curve(tmp_path / "run")]


def test_tensorboard_that_is_not_there_is_said_to_be_missing(windows, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SystemExit, match="--tensorboard needs the package tensorboard"):
        trainer(windows, tmp_path / "run", "--tensorboard").run()
