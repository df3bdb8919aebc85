"""One run of the network on a window of 3 s, on one thread, by turns with a direct call of ONNX
Runtime."""

import sys

from plots import Axes
from setting import ROOT, Setting, percentile

sys.path.insert(0, str(ROOT / "benches" / "overhead"))
import measure as overhead  # noqa: E402

FACES = ("C", "onnxruntime (Python)")


def measure(setting: Setting) -> dict:
    """Times in microseconds of each face and of the direct calls between them."""
    programs = overhead.build(setting.prefix)
    rounds, runs = (2000, 5) if setting.full else (500, 3)
    arguments = [setting.runtime, str(setting.model), str(rounds)]
    found: dict = {face: {"direct_us": [], "us": []} for face in FACES}
    for _ in range(runs):
        for face in FACES:
            run = overhead.measure(programs[face], arguments, setting.environment())
            found[face]["direct_us"] += [time / 1e3 for time in run["raw_ns"]]
            found[face]["us"] += [time / 1e3 for time in run["face_ns"]]
    return found


def markdown(found: dict) -> str:
    """A row for each contender."""
    names = {"C": "`vf_session_infer`", "onnxruntime (Python)": "onnxruntime, Python"}
    lines = [
        "| 3 s window, one thread | P50 ms | P99 ms | a second | P50 over direct | P99 over direct |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for face, name in names.items():
        own, direct = found[face]["us"], found[face]["direct_us"]
        ratios = [percentile(own, percent) / percentile(direct, percent) for percent in (50, 99)]
        lines.append(
            f"| {name} | {percentile(own, 50) / 1e3:.3f} | {percentile(own, 99) / 1e3:.3f} "
            f"| {len(own) / sum(own) * 1e6:.0f} | {ratios[0]:.3f} | {ratios[1]:.3f} |"
        )
    return "\n".join(lines)


def plot(found: dict, axes: Axes) -> None:
    """How the times are spread."""
    contenders = {
        "ONNX Runtime, direct": found["C"]["direct_us"],
        "vf_session_infer": found["C"]["us"],
        "onnxruntime, Python": found["onnxruntime (Python)"]["us"],
    }
    longest = max(percentile(times, 99) for times in contenders.values()) / 1e3
    shortest = min(min(times) for times in contenders.values()) / 1e3
    for name, times in contenders.items():
        axes.hist(
            [time / 1e3 for time in times], bins=80, range=(shortest, longest), histtype="step", label=name
        )
    axes.set(xlabel="ms for a window of 3 s, one thread", ylabel="runs", title="Latency")
    axes.legend(frameon=False)
