"""Every plot is written, small, and not empty."""

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib draws; install models/diarization")

import matplotlib.image  # noqa: E402
from voiceflow_models.evaluation import plots  # noqa: E402
from voiceflow_models.evaluation.det import trade_off  # noqa: E402
from voiceflow_models.evaluation.rttm import Turn  # noqa: E402

LARGEST_BYTES = 80_000


def drawn(path):
    """The file is a small picture in which something is drawn."""
    picture = matplotlib.image.imread(path)
    share = (picture[:, :, :3] < 0.9).any(axis=2).mean()
    return path.stat().st_size < LARGEST_BYTES and 0.005 < share < 0.9


def test_det(tmp_path):
    random = np.random.default_rng(1)
    curves = {
        name: trade_off(random.normal(away, 1, 500), random.normal(0, 1, 900))
        for name, away in (("near", 1.0), ("apart", 20.0))
    }
    plots.det(curves, tmp_path / "det.png")
    assert drawn(tmp_path / "det.png")


def test_latency(tmp_path):
    random = np.random.default_rng(1)
    times = {"a": random.lognormal(1, 0.1, 200), "b": random.lognormal(4, 0.1, 200)}
    plots.latency(times, tmp_path / "latency.png")
    assert drawn(tmp_path / "latency.png")


def test_timeline(tmp_path):
    reference = [Turn("r", "anna", 0, 4), Turn("r", "ben", 3, 9)]
    found = [Turn("r", "s1", 0.2, 4), Turn("r", "s2", 4, 9), Turn("r", "s3", 9, 10)]
    plots.timeline(reference, found, tmp_path / "timeline.png")
    plots.timeline(reference, [], tmp_path / "missed.png")
    plots.timeline([], found, tmp_path / "nobody.png")
    assert all(drawn(tmp_path / f"{name}.png") for name in ("timeline", "missed", "nobody"))


def test_training(tmp_path):
    rows = [f"{step},{0.001:.3g},{1 / step},{9 - step / 100},{step / 1000}" for step in range(50, 600, 50)]
    curve = tmp_path / "curve.csv"
    curve.write_text("\n".join(["step,rate,activity,voice,right", *rows]) + "\n")
    plots.training(curve, tmp_path / "training.png")
    assert drawn(tmp_path / "training.png")


def test_a_curve_without_its_columns_is_refused(tmp_path):
    curve = tmp_path / "curve.csv"
    curve.write_text("step,rate\n50,0.1\n")
    with pytest.raises(ValueError, match=r"curve\.csv: expected rows with activity, right, voice"):
        plots.training(curve, tmp_path / "training.png")
