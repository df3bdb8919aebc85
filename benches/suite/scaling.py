"""Windows a second by the number of threads that share one session."""

import json
import os
import statistics
import subprocess

from plots import Axes
from setting import Setting

THREADS = (1, 2, 4)


def measure(setting: Setting) -> dict:
    """Windows a second for each number of threads in each round, by the command line."""
    rounds, iterations = (15, 3000) if setting.full else (5, 1000)
    command = [
        setting.prefix / "bin" / "voiceflow",
        "bench",
        "--model",
        setting.model,
        "--json",
        "--batch",
        "1",
        "--threads",
        "1",
    ]
    command += ["--callers", ",".join(map(str, THREADS)), "--iterations", str(iterations), "--warmup", "50"]
    per_s: dict[str, list[float]] = {str(threads): [] for threads in THREADS}
    for _ in range(rounds):
        done = subprocess.run(
            [str(part) for part in command],
            env=setting.environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        for row in json.loads(done.stdout)["results"]:
            per_s[str(row["callers"])].append(row["requests_per_s"])
    return {"cores": len(os.sched_getaffinity(0)), "per_s": per_s}


def markdown(found: dict) -> str:
    """A row for each number of threads."""
    alone = statistics.median(found["per_s"]["1"])
    lines = [
        f"| threads, {found['cores']} cores | windows a second | over one thread | of perfect |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for threads in THREADS:
        # Of each round, as the machine's speed changes between them.
        rounds = zip(found["per_s"][str(threads)], found["per_s"]["1"], strict=True)
        ratio = statistics.median(many / one for many, one in rounds)
        perfect = min(threads, found["cores"])
        lines.append(f"| {threads} | {alone * ratio:.0f} | {ratio:.2f} | {ratio / perfect:.2f} |")
    return "\n".join(lines)


def plot(found: dict, axes: Axes) -> None:
    """The medians beside perfect scaling."""
    medians = [statistics.median(found["per_s"][str(threads)]) for threads in THREADS]
    perfect = [medians[0] * min(threads, found["cores"]) for threads in THREADS]
    axes.plot(THREADS, perfect, linestyle=":", color="grey", label="perfect")
    axes.plot(THREADS, medians, marker="o", label="measured")
    axes.set(
        xlabel="threads", ylabel="windows of 3 s a second", title="Throughput", xticks=THREADS, ylim=(0, None)
    )
    axes.legend(frameon=False)
