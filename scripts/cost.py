#!/usr/bin/env python3
"""Writes the tables of docs/COST.md out of measured figures and a price table.

scripts/cost.py --write | --check

The figures are read where they were published: README.md ("Fast or accurate") and
docs/PERFORMANCE.md ("The server"). The prices are those of deploy/gcp/prices.json. With --check it
says whether the document is what these give, and ends with 1 where it is not.
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs/COST.md"
BEGIN, END = "<!-- cost: begin -->", "<!-- cost: end -->"

PROCESSORS = 2
"""Of the machine on which all was measured."""

SHARE = 0.6
"""Of the processors that streams may take: what the server lets in."""

KINDS = (("on_demand", "on demand"), ("spot", "spot"))


def table_of(document: Path, heading: str) -> list[dict[str, str]]:
    """The first table below a heading, a dictionary for each row."""
    text = document.read_text()
    _, found, rest = text.partition(f"{heading}\n")
    if not found:
        sys.exit(f"{document}: expected the heading {heading!r}, found none")
    rows = re.search(r"(?:^\|.*\n)+", rest, flags=re.M)
    if not rows:
        sys.exit(f"{document}: expected a table below {heading!r}, found none")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[0].splitlines()]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def number(cell: str) -> float:
    """The first number of a cell."""
    found = re.search(r"\d+(?:[.]\d+)?", cell.replace(",", ""))
    if not found:
        sys.exit(f"expected a number, found {cell!r}")
    return float(found[0])


def markdown(rows: list[list[str]]) -> list[str]:
    """A table, its first row the heads."""
    rows = [rows[0], ["--"] * len(rows[0]), *rows[1:]]
    return [f"| {' | '.join(row)} |" for row in rows]


def recordings(machine: str, prices: dict) -> list[list[str]]:
    """What 1,000 hours of recordings cost."""
    rows = [
        [
            "models",
            "CPU s for an hour",
            "hours of audio an hour",
            *(f"$ for 1,000 h, {name}" for _, name in KINDS),
        ]
    ]
    for row in table_of(ROOT / "README.md", "### Fast or accurate"):
        cpu_s = number(row["CPU time for an hour"])
        speed = prices["machines"][machine]["processors"] * 3600 / cpu_s
        costs = [f"{1000 * prices['machines'][machine][kind] / speed:.2f}" for kind, _ in KINDS]
        rows.append([row["`--models`"].partition(",")[0], f"{cpu_s:g}", f"{speed:.0f}", *costs])
    return rows


def streams(machine: str, prices: dict) -> list[list[str]]:
    """What 1,000 hours of live streams cost, through the server."""
    rows = [
        [
            "streams measured",
            "CPU s a second",
            "streams at 60 %",
            *(f"$ for 1,000 h, {name}" for _, name in KINDS),
        ]
    ]
    for row in table_of(ROOT / "docs/PERFORMANCE.md", "## The server"):
        count, cpu = number(row["streams"]), number(row["CPU seconds a second"])
        carried = SHARE * prices["machines"][machine]["processors"] / (cpu / count)
        costs = [f"{1000 * prices['machines'][machine][kind] / carried:.2f}" for kind, _ in KINDS]
        rows.append([f"{count:g}", f"{cpu:g}", f"{carried:.0f}", *costs])
    return rows


def machines(prices: dict) -> list[list[str]]:
    """What an hour of each machine costs."""
    t4 = prices["accelerators"]["nvidia-tesla-t4"]
    rows = [["machine", *(f"$ an hour, {name}" for _, name in KINDS)]]
    for name, machine in prices["machines"].items():
        rows.append([name, *(f"{machine[kind]:.3f}" for kind, _ in KINDS)])
    n1 = prices["machines"]["n1-standard-4"]
    rows.append(["n1-standard-4 with a T4", *(f"{n1[kind] + t4[kind]:.3f}" for kind, _ in KINDS)])
    return rows


def tables(prices: dict) -> str:
    """All that stands between the marks."""
    machine = next(name for name, it in prices["machines"].items() if it["processors"] == PROCESSORS)
    lines = [
        f"Prices: {prices['region']}, read {prices['read']} in",
        f"[a catalogue of Google's list]({prices['catalogue']}).",
        "",
        *markdown(machines(prices)),
        "",
        f"Recordings, on {machine} with both processors busy:",
        "",
        *markdown(recordings(machine, prices)),
        "",
        f"Live streams through the server, on {machine} at 60 % of its processors:",
        "",
        *markdown(streams(machine, prices)),
    ]
    return "\n".join(lines)


def main() -> None:
    """Writes the document, or compares it."""
    parser = argparse.ArgumentParser(description=__doc__)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--write", action="store_true")
    kind.add_argument("--check", action="store_true")
    options = parser.parse_args()
    prices = json.loads((ROOT / "deploy/gcp/prices.json").read_text())
    text = DOCUMENT.read_text()
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{DOCUMENT}: expected {BEGIN} and {END}")
    made = f"{head}{BEGIN}\n\n{tables(prices)}\n\n{END}{tail}"
    if options.write:
        DOCUMENT.write_text(made)
    elif re.sub(r"\s+", " ", made) != re.sub(r"\s+", " ", text):
        sys.exit(f"{DOCUMENT}: not what the figures give; scripts/cost.py --write makes it anew")


if __name__ == "__main__":
    main()
