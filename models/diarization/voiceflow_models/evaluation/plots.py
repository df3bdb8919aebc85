"""Plots of what was measured, as small PNG files."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from .det import Det
from .rttm import Turn, paired, speakers

DOTS_PER_INCH = 110
PERCENT_TICKS = np.array([0.1, 0.5, 1, 2, 5, 10, 20, 40, 60, 80, 95])
MEASURES = {
    "activity": "Activity loss (nats)",
    "voice": "Voice loss (nats)",
    "right": "Voices classified right (%)",
    "rate": "Learning rate",
}
"""Columns of a training's curve.csv that are drawn, with their names."""

REFERENCE_COLOUR, FOUND_COLOUR, OTHER_COLOUR = "tab:gray", "tab:blue", "tab:red"


def _figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, np.ndarray]:
    """Axes [rows, columns] without frames; ``width`` and ``height`` in inches."""
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained", squeeze=False)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=DOTS_PER_INCH)
    plt.close(figure)


def det(curves: dict[str, Det], path: Path) -> None:
    """Missed against false alarms on probit axes, where normal scores make a straight line."""
    figure, axes = _figure(5.2, 5.2)
    ax: Axes = axes[0, 0]
    for name, curve in curves.items():
        rate, _ = curve.equal_error()
        # Rates of 0 and 1 lie at infinity: half a trial in a million stands for them.
        false_alarm, miss = (np.clip(share, 5e-7, 1 - 5e-7) for share in curve.sampled(400))
        ax.plot(ndtri(false_alarm), ndtri(miss), label=f"{name}, EER {100 * rate:.1f} %")
    ticks = ndtri(PERCENT_TICKS / 100)
    ax.plot(ticks[[0, -1]], ticks[[0, -1]], color="lightgray", linewidth=0.8, zorder=0)
    labels = [f"{percent:g}" for percent in PERCENT_TICKS]
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    ax.set(xlim=(ticks[0], ticks[-2]), ylim=(ticks[0], ticks[-2]), aspect="equal")
    ax.set(xlabel="Different voices taken for one (%)", ylabel="One voice taken for two (%)")
    ax.legend(frameon=False, loc="upper right", fontsize="small")
    _save(figure, path)


def latency(milliseconds: dict[str, np.ndarray], path: Path) -> None:
    """Histograms of the times of each file, a dashed line at the median, on a logarithmic axis."""
    figure, axes = _figure(6.4, 3.2)
    ax: Axes = axes[0, 0]
    every = np.concatenate(list(milliseconds.values()))
    bins = np.geomspace(every.min(), every.max() * 1.001, 60)
    for index, (name, times) in enumerate(milliseconds.items()):
        median, colour = float(np.median(times)), f"C{index}"
        ax.hist(times, bins, color=colour, alpha=0.6, label=f"{name}, median {median:.3g} ms")
        ax.axvline(median, color=colour, linestyle="--", linewidth=1)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(matplotlib.ticker.StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    ax.set(xlabel="Time of one window (ms)", ylabel="Runs")
    # Above the axes: bars may stand anywhere inside.
    figure.legend(frameon=False, loc="outside upper left", fontsize="small")
    _save(figure, path)


def timeline(reference: list[Turn], hypothesis: list[Turn], path: Path) -> None:
    """A row for each speaker: the reference above, below it what was found of them.

    Speakers of the hypothesis whom no one of the reference matches have rows of their own.
    """
    partners = paired(reference, hypothesis)
    known = speakers(reference)
    extra = [name for name in speakers(hypothesis) if name not in partners]
    figure, axes = _figure(8, 0.9 + 0.42 * max(len(known) + len(extra), 1))
    ax: Axes = axes[0, 0]
    rows = {name: row for row, name in enumerate(known)}
    beyond = {name: len(known) + row for row, name in enumerate(extra)}

    def bar(turn: Turn, row: int, offset: float, colour: str, label: str) -> None:
        labels = ax.get_legend_handles_labels()[1]
        span = [(turn.start_s, turn.end_s - turn.start_s)]
        once = {} if label in labels else {"label": label}
        ax.broken_barh(span, (row + offset, 0.36), color=colour, linewidth=0, **once)

    for turn in reference:
        bar(turn, rows[turn.speaker], -0.38, REFERENCE_COLOUR, "reference")
    for turn in hypothesis:
        if turn.speaker in partners:
            bar(turn, rows[partners[turn.speaker]], 0.02, FOUND_COLOUR, "found")
        else:
            bar(turn, beyond[turn.speaker], 0.02, OTHER_COLOUR, "found, nobody's")
    names = [*known, *extra]
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.set_xlabel("Time (s)")
    if names:
        figure.legend(frameon=False, loc="outside upper right", fontsize="small", ncols=3)
    _save(figure, path)


def training(curve: Path, path: Path) -> None:
    """The columns of ``curve.csv`` that show how a training goes, over its steps."""
    with open(curve, newline="") as file:
        rows = list(csv.DictReader(file))
    missing = {"step", *MEASURES} - set(rows[0] if rows else ())
    if missing:
        raise ValueError(f"{curve.name}: expected rows with {', '.join(sorted(missing))}, found none")
    figure, axes = _figure(7, 4.6, 2, 2)
    steps = [int(row["step"]) for row in rows]
    for ax, (column, label) in zip(axes.flat, MEASURES.items(), strict=True):
        values = np.array([float(row[column]) for row in rows])
        ax.plot(steps, 100 * values if label.endswith("(%)") else values, linewidth=1)
        ax.set_ylabel(label)
    for ax in axes[1]:
        ax.set_xlabel("Step")
    _save(figure, path)
