"""Time and memory of diarization by the length of the recording, with the default model on one
thread."""

import statistics
import subprocess
import time
from pathlib import Path

from plots import Axes
from setting import Setting

POLL_S = 0.002  # between two looks at the process


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
    program, output = setting.prefix / "bin" / "voiceflow", setting.scratch / "found"
    recording = setting.recording(minutes)
    options = ["--models", "fast-cnn", "--threads", "1", "--format", "rttm", "--output", output]
    arguments = [program, "diarize", *options, recording]
    start = time.perf_counter()
    child = subprocess.Popen(arguments, env=setting.environment(), stdout=subprocess.DEVNULL)
    peak_mb = 0.0
    while child.poll() is None:
        # Not the usage that wait4 gives: that begins with the memory of the process which started
        # this one.
        peak_mb = max(peak_mb, high_water_mb(child.pid))
        time.sleep(POLL_S)
    seconds = time.perf_counter() - start
    if child.returncode != 0:
        raise SystemExit(f"voiceflow diarize {recording}: ended with status {child.returncode}")
    return seconds, peak_mb


def high_water_mb(pid: int) -> float:
    """The most memory that a process ever had, 0 once it is gone."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0")
    return int(line.split()[1]) / 1024


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
