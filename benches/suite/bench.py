"""The benchmark: `make bench` (quick) and `make bench-full`. README.md here says what is
measured."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cold_start
import infer
import length
import peers
import plots
import scaling
import share_of_peak
from setting import ROOT, Setting

DOCUMENT = ROOT / "docs" / "PERFORMANCE.md"
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"


@dataclass
class Section:
    """One measurement."""

    name: str
    measure: Callable[[Setting], dict]
    markdown: Callable[[dict], str]
    panels: list
    only_full: bool = False


SECTIONS = [
    Section("infer", infer.measure, infer.markdown, [infer.plot]),
    Section("scaling", scaling.measure, scaling.markdown, [scaling.plot]),
    Section("share_of_peak", share_of_peak.measure, share_of_peak.markdown, []),
    Section("length", length.measure, length.markdown, [length.plot_time, length.plot_memory]),
    Section("cold_start", cold_start.measure, cold_start.markdown, []),
    Section("peers", peers.measure, peers.markdown, [], only_full=True),
]


def machine() -> str:
    """Whose figures they are."""
    with open("/proc/cpuinfo") as file:
        cpu = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return f"{cpu}, {cores} cores, {platform.system()} {platform.machine()}, load at start {load:.1f}"


def write(text: str) -> None:
    """Puts the tables between the marks in docs/PERFORMANCE.md."""
    document = DOCUMENT.read_text()
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    subprocess.run([ROOT / "scripts" / "prose.sh"], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more rounds, lengths up to 4 h, and peers")
    parser.add_argument("--prefix", type=Path, required=True, help="where the library is installed")
    parser.add_argument("--runtime", required=True, help="libonnxruntime.so")
    parser.add_argument("--model", type=Path, required=True, help="ONNX file of a joint model")
    parser.add_argument("--segmentation", type=Path, help="segmentation model for sherpa-onnx")
    parser.add_argument("--embedding", type=Path, help="speaker embedding model for sherpa-onnx")
    parser.add_argument("--out", type=Path, required=True, help="folder for bench.json, plots and audio")
    parser.add_argument("--only", nargs="+", choices=[section.name for section in SECTIONS])
    parser.add_argument("--write", action="store_true", help="into docs/PERFORMANCE.md and docs/images too")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    setting = Setting(
        full=options.full,
        prefix=options.prefix.resolve(),
        runtime=options.runtime,
        model=options.model.resolve(),
        segmentation=options.segmentation,
        embedding=options.embedding,
        scratch=options.out.resolve(),
    )
    library = setting.prefix / "lib" / "libvoiceflow.so.1"
    size_mb = library.stat().st_size / 1e6
    where = machine()
    found: dict = {"machine": where, "full": options.full, "library_mb": size_mb}
    parts = [f"{where}. The library with its model: {size_mb:.1f} MB."]
    panels = []
    for section in SECTIONS:
        if section.only_full and not (options.full and setting.segmentation and setting.embedding):
            continue
        if options.only and section.name not in options.only:
            continue
        start = time.perf_counter()
        found[section.name] = section.measure(setting)
        print(f"{section.name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        parts.append(section.markdown(found[section.name]))
        panels += [
            lambda axes, draw=draw, name=section.name: draw(found[name], axes) for draw in section.panels
        ]
        (options.out / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    images = [options.out / "benchmark.png"] + [ROOT / "docs/images/benchmark.png"] * options.write
    for image in images if panels else []:
        plots.save(image, panels)
    text = "\n\n".join(parts)
    print(text)
    if options.write:
        write(text + "\n\n![latency, throughput, time and memory](images/benchmark.png)")


if __name__ == "__main__":
    main()
