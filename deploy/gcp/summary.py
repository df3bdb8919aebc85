#!/usr/bin/env python3
"""A table of what t4.sh measured, against the limit, and what it cost.

summary.py RESULTS --sla-p99 MS [--seconds N] [--spot]

Ends with 1 where a provider has no figures or a P99 is over the limit.
"""

import argparse
import json
import sys
from pathlib import Path

PRICES = Path(__file__).with_name("prices.json")
PROVIDERS = ("cpu", "cpu-fp32", "cuda", "tensorrt")


def price(prices: dict, spot: bool) -> float:
    """Of an hour of the machine with its T4."""
    kind = "spot" if spot else "on_demand"
    return prices["machines"]["n1-standard-4"][kind] + prices["accelerators"]["nvidia-tesla-t4"][kind]


def rows(name: str, report: dict, limit_ms: float, hour: float) -> list[list[str]]:
    """One for each batch of a provider."""
    table = []
    for row in report["results"]:
        table.append(
            [
                name,
                str(row["batch"]),
                *(f"{row[key]:.2f}" for key in ("p50_ms", "p95_ms", "p99_ms")),
                f"{row['requests_per_s']:.0f}",
                f"{1e6 * hour / (3600 * row['requests_per_s']):.3f}",
                "kept" if row["p99_ms"] <= limit_ms else "missed",
            ]
        )
    return table


def main() -> int:
    """Prints the table and the cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--sla-p99", type=float, required=True, metavar="MS")
    parser.add_argument("--seconds", type=float, help="how long the machine was there")
    parser.add_argument("--spot", action="store_true")
    options = parser.parse_args()
    prices = json.loads(PRICES.read_text())
    hour = price(prices, options.spot)

    tried = [name for name in PROVIDERS if (options.results / f"{name}.err").exists()]
    if not tried:
        sys.exit(f"{options.results}: expected results of on_machine.sh, found none")
    heads = ["run", "batch", "P50 ms", "P95 ms", "P99 ms", "windows/s"]
    heads += ["$ a million windows", f"P99 <= {options.sla_p99:g} ms"]
    table, failed = [], []
    for name in tried:
        path = options.results / f"{name}.json"
        if path.exists():
            table += rows(name, json.loads(path.read_text()), options.sla_p99, hour)
        else:
            failed.append(name)
    print(f"| {' | '.join(heads)} |")
    print(f"| {' | '.join(['--'] * len(heads))} |")
    for row in table:
        print(f"| {' | '.join(row)} |")
    for name in failed:
        print(f"{name} did not run: {(options.results / f'{name}.err').read_text().strip()}")
    kind = "spot" if options.spot else "on demand"
    print(f"n1-standard-4 with a T4, {kind}: ${hour:.3f} an hour ({prices['region']}, read {prices['read']})")
    if options.seconds is not None:
        print(f"the machine was there for {options.seconds:.0f} s: ${hour * options.seconds / 3600:.2f}")
    missed = sum(row[-1] == "missed" for row in table)
    print(f"{len(table) - missed} rows kept the limit, {missed} missed it, {len(failed)} runs failed")
    return int(bool(missed or failed))


if __name__ == "__main__":
    sys.exit(main())
