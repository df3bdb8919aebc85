"""Windows a second by the number of threads that share one session."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from plots import Axes
from setting import Setting

THREADS = (1, 2, 4)


def measure(setting: Setting) -> dict:
    """Windows a second for each number of threads in each round; a process of its own has the library."""
    rounds, seconds = (15, 2.0) if setting.full else (5, 1.0)
    command = [sys.executable, Path(__file__), setting.model, str(rounds), str(seconds)]
    environment = setting.environment()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def throughput(session, audio, threads: int, seconds: float) -> float:
    """Windows a second while so many threads call `infer` one after the other."""
    counts = [0] * threads
    start = threading.Barrier(threads + 1)
    stop = threading.Event()

    def work(number: int) -> None:
        out = session.infer(audio)
        start.wait()
        while not stop.is_set():
            session.infer(audio, out=out)
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - began)


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


def main() -> None:
    import numpy as np
    from voiceflow import Session

    model, rounds, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    audio = (np.random.default_rng(0).standard_normal((1, 48_000)) * 0.05).astype(np.float32)
    per_s: dict[str, list[float]] = {str(threads): [] for threads in THREADS}
    with Session(model_path=model, threads=1, slots=max(THREADS)) as session:
        for _ in range(rounds):
            for threads in THREADS:
                per_s[str(threads)].append(throughput(session, audio, threads, seconds))
    print(json.dumps({"cores": len(os.sched_getaffinity(0)), "per_s": per_s}))


if __name__ == "__main__":
    main()
