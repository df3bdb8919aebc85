"""Turns the measures of all runs into rows, and rows into Markdown. Scores with
pyannote.metrics."""

import statistics

from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate
from recordings import Recording, Turn

# The columns; the last four stand empty where a recording has no reference.
HEADS = [
    "contender",
    "seconds median",
    "min to max",
    "CPU seconds",
    "RTF",
    "times real time",
    "time over first",
    "load s",
    "peak MiB",
    "speakers",
    "DER %",
    "missed %",
    "false alarm %",
    "confusion %",
]


def rows_of(recordings: list[Recording], runs: dict[str, list[dict]]) -> list[dict]:
    """A row for each recording and contender. `ratio` is the median time over that of the first
    contender."""
    rows = []
    for recording in recordings:
        first = None
        for label, done in runs.items():
            measures = [run["recordings"][recording.name] for run in done]
            seconds = [measure["seconds"] for measure in measures]
            median = statistics.median(seconds)
            first = first or median
            segments = measures[-1]["segments"]
            row = {
                "recording": recording.name,
                "contender": label,
                "median_s": median,
                "min_s": min(seconds),
                "max_s": max(seconds),
                "cpu_s": statistics.median(measure["cpu_s"] for measure in measures),
                "rtf": median / recording.seconds,
                "times_real_time": recording.seconds / median,
                "ratio": median / first,
                "load_s": statistics.median(run["load_s"] for run in done),
                "peak_mb": max(run["peak_mb"] for run in done),
                "speakers": len({speaker for _, _, speaker in segments}),
                "same_answer_every_run": all(measure["segments"] == segments for measure in measures),
            }
            if recording.reference:
                row["der"] = der_of(recording, segments)
            rows.append(row)
    return rows


def der_of(recording: Recording, segments: list) -> dict[str, float]:
    """Error rate and its parts, of the reference's speech: collar 0, overlap scored, the whole
    file."""
    hypothesis = annotation_of([Turn(*segment) for segment in segments])
    evaluated = Timeline([Segment(0, recording.seconds)])
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    parts = metric(annotation_of(recording.reference), hypothesis, uem=evaluated, detailed=True)
    kinds = ("missed detection", "false alarm", "confusion")
    rates = {kind: parts[kind] / parts["total"] for kind in kinds}
    return {"der": parts["diarization error rate"], **rates}


def annotation_of(turns: list[Turn]) -> Annotation:
    """The turns in the form of pyannote; those of no length are left out, as it knows none."""
    annotation = Annotation()
    for number, turn in enumerate(turns):
        if turn.end_s > turn.start_s:
            annotation[Segment(turn.start_s, turn.end_s), number] = str(turn.speaker)
    return annotation


def markdown(settings: dict, recordings: list[Recording], rows: list[dict]) -> str:
    """One table for each recording, under a line that says what it was measured on."""
    files = ", ".join(f"{kind} `{model['file']}`" for kind, model in settings["models"].items())
    lines = [
        f"{settings['cpu']}, {settings['threads']} threads on as many cores; {files}; {settings['rounds']} "
        f"rounds in turns; load average at the start {settings['load_average_at_start']:.1f}."
    ]
    for recording in recordings:
        lines += ["", f"`{recording.name}`, {recording.seconds:.1f} s", ""]
        lines += [line_of(HEADS), line_of(["---"] * len(HEADS))]
        lines += [line_of(cells_of(row)) for row in rows if row["recording"] == recording.name]
    unsteady = sorted({row["contender"] for row in rows if not row["same_answer_every_run"]})
    if unsteady:
        lines += ["", f"Not the same segments in every round: {', '.join(unsteady)}."]
    return "\n".join(lines)


def cells_of(row: dict) -> list[str]:
    """The row as texts, in the order of HEADS."""
    cells = [
        row["contender"],
        f"{row['median_s']:.2f}",
        f"{row['min_s']:.2f} to {row['max_s']:.2f}",
        f"{row['cpu_s']:.1f}",
        f"{row['rtf']:.4f}",
        f"{row['times_real_time']:.1f}",
        f"{row['ratio']:.2f}",
        f"{row['load_s']:.2f}",
        f"{row['peak_mb']:.0f}",
        str(row["speakers"]),
    ]
    return (
        cells
        + [f"{100 * rate:.1f}" for rate in row.get("der", {}).values()]
        + [""] * (4 * ("der" not in row))
    )


def line_of(cells: list[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"
