#!/usr/bin/env python3
"""Compares two runs of the benchmark on one machine, as a table in Markdown.

scripts/bench_report.py before/bench.json after/bench.json [--allow 0.1]

Ends with 1 where a median is worse than before by more than the share that is allowed, and by more
than the runs differ among themselves.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

# Contenders, and what describes the machine.
OTHERS = ("direct", "onnxruntime", "sherpa", "cores", "multiply_adds", "peers")


def samples(found: object, path: str = "") -> Iterator[tuple[str, list[float]]]:
    """Every measurement of ours, with what it is called."""
    if any(other in path for other in OTHERS):
        return
    if isinstance(found, dict):
        for key, value in found.items():
            yield from samples(value, f"{path}.{key}" if path else key)
    elif isinstance(found, list) and found and isinstance(found[0], dict):
        for key in found[0]:
            yield from samples([row[key] for row in found], f"{path}.{key}")
    elif isinstance(found, list) and found and all(isinstance(value, int | float) for value in found):
        yield path, [float(value) for value in found]
    elif isinstance(found, int | float) and not isinstance(found, bool):
        yield path, [float(found)]


def spread(values: list[float]) -> float:
    """How much the middle half differs, of the median."""
    if len(values) < 4:
        return 0.0
    quarters = statistics.quantiles(values, n=4)
    return (quarters[2] - quarters[0]) / statistics.median(values)


def compare(before: dict, after: dict, allow: float) -> tuple[list[str], list[str]]:
    """The table's lines, and what is worse."""
    old, new = dict(samples(before)), dict(samples(after))
    if not old.keys() & new.keys():
        sys.exit("bench_report: expected measurements that both runs have, found none")
    lines = ["| measurement | before | after | after / before |  |", "| -- | -: | -: | -: | -- |"]
    worse = []
    for name in sorted(old.keys() & new.keys()):
        was, now = statistics.median(old[name]), statistics.median(new[name])
        if not was:
            continue
        ratio = now / was
        loss = 1 / ratio - 1 if ".per_s." in name and ratio else ratio - 1
        slack = max(allow, spread(old[name]), spread(new[name]))
        verdict = "worse" if loss > slack else "better" if loss < -slack else ""
        if verdict == "worse":
            worse.append(name)
        lines.append(f"| {name} | {was:.4g} | {now:.4g} | {ratio:.3f} | {verdict} |")
    gone = sorted(old.keys() - new.keys())
    lines += [f"| {name} | {statistics.median(old[name]):.4g} | - | - | not measured |" for name in gone]
    return lines, worse


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--allow", type=float, default=0.1, help="share by which a median may be worse")
    arguments = parser.parse_args()
    runs = []
    for path in (arguments.before, arguments.after):
        try:
            runs.append(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            sys.exit(f"{path}: expected the bench.json of `make bench`: {error}")
    lines, worse = compare(*runs, arguments.allow)
    print("\n".join(lines))
    for name in worse:
        print(f"worse by more than {arguments.allow:.0%}: {name}", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
