"""Time and memory of diarization by the length of the recording, with the default model on one thread."""

import os
import statistics
import time

from plots import Axes
from setting import Setting


def measure(setting: Setting) -> dict:
    """Wall-clock seconds and peak memory of the command line, loading included, by minutes."""
    lengths = (1, 10, 30, 60, 120, 240) if setting.full else (1, 10, 60)
    found: dict = {str(minutes): {"seconds": [], "peak_mb": []} for minutes in lengths}
    for _ in range(3 if setting.full else 2):
        for minutes in lengths:
            seconds, peak_mb = run(setting, minutes)
            found[str(minutes)]["seconds"].append(seconds)
            found[str(minutes)]["peak_mb"].append(peak_mb)
    return found


def run(setting: Setting, minutes: int) -> tuple[float, float]:
    """Seconds and MB of one process."""
    program, output = str(setting.prefix / "bin" / "voiceflow"), str(setting.scratch / "found")
    recording = str(setting.recording(minutes))
    arguments = [program, "diarize", "--threads", "1", "--format", "rttm", "--output", output, recording]
    start = time.perf_counter()
    with open(os.devnull, "wb") as nothing:
        actions = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), 1), (os.POSIX_SPAWN_DUP2, nothing.fileno(), 2)]
        child = os.posix_spawn(program, arguments, setting.environment(), file_actions=actions)
        _, status, usage = os.wait4(child, 0)
    if status != 0:
        raise SystemExit(f"voiceflow diarize {recording}: ended with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def figures(found: dict) -> list[tuple[int, float, float]]:
    """Minutes, median seconds, largest MB."""
    return [
        (int(minutes), statistics.median(runs["seconds"]), max(runs["peak_mb"]))
        for minutes, runs in found.items()
    ]


def markdown(found: dict) -> str:
    """A row for each length."""
    rows = figures(found)
    hour = next(seconds for minutes, seconds, _ in rows if minutes == 60)
    lines = [
        "| recording | seconds | times real time | over linear | peak MB | MB over the shortest |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for minutes, seconds, peak_mb in rows:
        proportion = seconds / (hour * minutes / 60)
        lines.append(
            f"| {minutes} min | {seconds:.2f} | {minutes * 60 / seconds:.0f} | {proportion:.2f} "
            f"| {peak_mb:.0f} | {peak_mb - rows[0][2]:.0f} |"
        )
    return "\n".join(lines)


def plot_time(found: dict, axes: Axes) -> None:
    """Time by length."""
    rows = figures(found)
    axes.plot([row[0] for row in rows], [row[1] for row in rows], marker="o")
    axes.set(xlabel="minutes of audio", ylabel="seconds, one thread", title="Time by length", ylim=(0, None))


def plot_memory(found: dict, axes: Axes) -> None:
    """Memory by length."""
    rows = figures(found)
    axes.plot([row[0] for row in rows], [row[2] for row in rows], marker="o")
    axes.set(
        xlabel="minutes of audio", ylabel="peak MB, one thread", title="Memory by length", ylim=(0, None)
    )
