"""What infer costs through each face over the same call of ONNX Runtime's C functions:
`make bench-overhead`.

Builds a program for each face, runs them in turns, and prints a table in Markdown; every time goes
to --json.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILT = HERE / "target" / "faces"
REFERENCE = HERE / "target" / "release" / "libreference.so"


def build(prefix: Path) -> dict[str, list[str]]:
    """Programs by face, from the library installed under `prefix`."""
    BUILT.mkdir(parents=True, exist_ok=True)
    flags = [f"-I{prefix}/include", f"-L{prefix}/lib", "-lvoiceflow", f"-L{REFERENCE.parent}", "-lreference"]
    run_path = [f"-Wl,-rpath,{prefix}/lib", f"-Wl,-rpath,{REFERENCE.parent}"]
    cargo = ["cargo", "build", "--release", "--locked", "--manifest-path", HERE / "Cargo.toml"]
    counter = ["gcc", "-O2", "-shared", "-fPIC", HERE / "count_allocations.c", "-o", BUILT / "libcount.so"]
    c = ["gcc", "-O2", HERE / "faces/face.c", *flags, *run_path, "-o", BUILT / "c"]
    cxx = ["g++", "-O2", "-std=c++17", HERE / "faces/face.cpp", *flags, *run_path, "-o", BUILT / "cpp"]
    for command in (cargo, counter, c, cxx):
        subprocess.run(command, check=True)
    go = {
        "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig",
        "CGO_LDFLAGS": " ".join([f"-L{REFERENCE.parent}", *run_path]),
        "CGO_LDFLAGS_ALLOW": ".*",
    }
    command = ["go", "build", "-o", BUILT / "go", "."]
    subprocess.run(command, check=True, cwd=HERE / "faces/go", env=os.environ | go)
    python = [sys.executable, HERE / "faces/face.py", REFERENCE]
    peer = [sys.executable, HERE / "faces/onnxruntime_face.py", REFERENCE]
    programs = {
        "C": [BUILT / "c"],
        "C++": [BUILT / "cpp"],
        "Rust": [REFERENCE.parent / "overhead-rust"],
        "Go": [BUILT / "go"],
        "Python": python,
        "onnxruntime (Python)": peer,
    }
    return {face: [str(part) for part in command] for face, command in programs.items()}


def measure(command: list[str], arguments: list[str], environment: dict[str, str]) -> dict:
    """The times of one program."""
    done = subprocess.run(
        [*command, *arguments], stdout=subprocess.PIPE, text=True, check=False, env=os.environ | environment
    )
    if done.returncode != 0:
        sys.exit(f"{command[0]}: ended with status {done.returncode}")
    return json.loads(done.stdout)


def percentile(values: list[float], share: float) -> float:
    """By nearest rank."""
    return sorted(values)[max(0, -(-int(share * 100 * len(values)) // 100) - 1)]


def row_of(runs: list[dict], counted: dict) -> dict:
    """The figures of one face over all its runs, in microseconds."""
    raw = [time / 1e3 for run in runs for time in run["raw_ns"]]
    face = [time / 1e3 for run in runs for time in run["face_ns"]]
    return {
        "raw_p50_us": percentile(raw, 0.5),
        "raw_p99_us": percentile(raw, 0.99),
        "p50_us": percentile(face, 0.5),
        "p99_us": percentile(face, 0.99),
        "over_us": statistics.median(b - a for a, b in zip(raw, face, strict=True)),
        # Of each run, for how far apart they are.
        "over_us_runs": [
            statistics.median((b - a) / 1e3 for a, b in zip(run["raw_ns"], run["face_ns"], strict=True))
            for run in runs
        ],
        "allocations": counted["face_allocations"] - counted["raw_allocations"],
        "raw_allocations": counted["raw_allocations"],
        "own_allocations": runs[0]["own_allocations"],
    }


def markdown(rows: dict[str, dict]) -> str:
    """The table."""
    lines = [
        "| through | P50 µs | direct call, P50 µs | over it, median µs (runs) | ratio P50 | ratio P99 "
        "| allocations over it |",
        "|---|---|---|---|---|---|---|",
    ]
    for face, row in rows.items():
        runs = f"{min(row['over_us_runs']):.1f} to {max(row['over_us_runs']):.1f}"
        own = f", {row['own_allocations']:.1f} on its own heap" if row["own_allocations"] is not None else ""
        lines.append(
            f"| {face} | {row['p50_us']:.1f} | {row['raw_p50_us']:.1f} | {row['over_us']:+.1f} ({runs}) "
            f"| {row['p50_us'] / row['raw_p50_us']:.3f} | {row['p99_us'] / row['raw_p99_us']:.3f} "
            f"| {row['allocations']:.1f}{own} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prefix", type=Path, required=True, help="where the library is installed")
    parser.add_argument("--runtime", required=True, help="libonnxruntime.so")
    parser.add_argument("--model", required=True, help="ONNX file of a joint model")
    parser.add_argument("--rounds", type=int, default=1000, help="calls in one run")
    parser.add_argument("--runs", type=int, default=5, help="runs of each program")
    parser.add_argument("--json", type=Path, help="where all figures go")
    options = parser.parse_args()
    prefix = options.prefix.resolve()
    programs = build(prefix)
    environment = {
        "VOICEFLOW_LIBRARY": str(prefix / "lib" / "libvoiceflow.so.1"),
        "PYTHONPATH": str(ROOT / "bindings" / "python" / "src"),
    }
    arguments = [options.runtime, options.model, str(options.rounds)]
    runs: dict[str, list[dict]] = {face: [] for face in programs}
    for number in range(options.runs):
        for face, command in programs.items():
            print(f"run {number + 1} of {options.runs}: {face}", file=sys.stderr)
            runs[face].append(measure(command, arguments, environment))
    counting = environment | {"LD_PRELOAD": str(BUILT / "libcount.so")}
    few = [options.runtime, options.model, "200"]
    rows = {face: row_of(runs[face], measure(programs[face], few, counting)) for face in programs}
    print(markdown(rows))
    if options.json:
        found = {
            "machine": platform.processor() or platform.machine(),
            "rounds": options.rounds,
            "rows": rows,
        }
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
