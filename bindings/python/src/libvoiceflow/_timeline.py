"""Pictures of who spoke when: SVG without any other package, and axes of matplotlib."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._diarization import Diarization

# Colours that can be distinguished by those who see few of them: Okabe and Ito, 2008.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7a7a7a", "#b8a800")

_WIDTH, _LABELS, _ROW, _BAR, _AXIS, _MARGIN = 900, 150, 26, 18, 22, 16
# Seconds between two ticks.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_MOST_TICKS = 12
_STYLE = "font:12px sans-serif;fill:currentColor"


def clock(seconds: float) -> str:
    """A time such as "1:02:03" or "2:03"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ticks(duration_s: float) -> list[int]:
    """Times of the axis in seconds, from 0."""
    step = next((step for step in _STEPS if duration_s / step <= _MOST_TICKS), _STEPS[-1])
    return list(range(0, int(duration_s) + 1, step))


def html(diarization: Diarization) -> str:
    """The timeline as SVG; the pointer over a segment shows its times."""
    speakers, duration_s = diarization.speakers, max(diarization.duration, 1e-3)
    scale = (_WIDTH - _LABELS - _MARGIN) / duration_s
    height = len(speakers) * _ROW + _AXIS
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="100%" '
        f'style="max-width:{_WIDTH}px" role="img" aria-label="{escape(repr(diarization))}">'
    ]
    for tick in ticks(duration_s):
        x = _LABELS + tick * scale
        parts.append(
            f'<path d="M{x:.1f} 0V{height - _AXIS}" stroke="currentColor" stroke-opacity=".2"/>'
            f'<text x="{x:.1f}" y="{height - 6}" text-anchor="middle" style="{_STYLE}">{clock(tick)}</text>'
        )
    for speaker in speakers:
        y = (speaker.index + 0.5) * _ROW
        parts.append(
            f'<text x="0" y="{y + 4:.1f}" style="{_STYLE}">{escape(speaker.label)} '
            f"({speaker.speech_s:.1f} s)</text>"
        )
    for segment in diarization:
        x, y = _LABELS + segment.start * scale, segment.speaker_index * _ROW + (_ROW - _BAR) / 2
        colour = COLOURS[segment.speaker_index % len(COLOURS)]
        said = (
            f"{segment.speaker} {segment.start:.2f} to {segment.end:.2f} s, "
            f"confidence {segment.confidence:.2f}{', overlap' if segment.overlap else ''}"
        )
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(segment.duration * scale, 0.5):.1f}" height="{_BAR}" '
            f'rx="2" fill="{colour}"><title>{escape(said)}</title></rect>'
        )
    parts.append("</svg>")
    return "".join(parts)


def plot(diarization: Diarization, ax: Axes | None) -> Axes:
    """The timeline by matplotlib."""
    if ax is None:
        from matplotlib import pyplot

        # Constrained: labels outside of the axes, however long, have their place in the figure.
        size = (10, 0.8 + 0.4 * max(len(diarization.speakers), 1))
        ax = pyplot.subplots(figsize=size, layout="constrained")[1]
    for speaker in diarization.speakers:
        spans = [
            (segment.start, segment.duration)
            for segment in diarization
            if segment.speaker_index == speaker.index
        ]
        ax.broken_barh(spans, (speaker.index - 0.35, 0.7), facecolors=COLOURS[speaker.index % len(COLOURS)])
    ax.set_yticks(range(len(diarization.speakers)), [speaker.label for speaker in diarization.speakers])
    ax.set_ylim(len(diarization.speakers) - 0.5, -0.5)
    times = ticks(diarization.duration)
    ax.set_xticks(times, [clock(time) for time in times])
    ax.set_xlim(0, max(diarization.duration, 1e-3))
    ax.set_xlabel("time")
    return ax
