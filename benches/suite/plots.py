"""The plots of a run."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

__all__ = ["Axes", "save"]


def save(path: Path, panels: list) -> None:
    """A row of panels, each drawn by a function of its axes."""
    figure, all_axes = plt.subplots(1, len(panels), figsize=(5 * len(panels), 3.6), squeeze=False)
    for draw, axes in zip(panels, all_axes[0], strict=True):
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
