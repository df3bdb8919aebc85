"""How a training went: curve.csv, and TensorBoard where it is asked for."""

from __future__ import annotations

import csv
from pathlib import Path

COLUMNS = (
    "step",
    "seconds",
    "rate",
    "windows",
    "total",
    "activity",
    "arrival",
    "voice",
    "affinity",
    "likeness",
    "right",
)
"""Steps and seconds of training, learning rate, windows to draw from; then mean losses since the
last row."""


class Curves:
    """Rows of what a training came to, one for every so many steps."""

    def __init__(self, out: Path, step: int, tensorboard: bool):
        """Goes on after ``step`` where an earlier run of the same training has written more."""
        self._path = out / "curve.csv"
        kept = []
        if step > 0 and self._path.exists():
            with open(self._path, newline="") as file:
                kept = [row for row in list(csv.reader(file))[1:] if int(row[0]) <= step]
        with open(self._path, "w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *kept])
        self._board = _board(out / "tensorboard", step) if tensorboard else None

    def add(self, step: int, seconds: float, rate: float, windows: int, means: dict[str, float]) -> None:
        """One row; ``means`` are those of the losses, in the order of the columns."""
        with open(self._path, "a", newline="") as file:
            row = [step, round(seconds), f"{rate:.3g}", windows]
            csv.writer(file).writerow([*row, *(f"{value:.4f}" for value in means.values())])
        if self._board is not None:
            for name, value in {"rate": rate, "windows": windows, **means}.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()


def _board(folder: Path, step: int):
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise SystemExit(f"--tensorboard needs the package tensorboard: {error}") from error
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
