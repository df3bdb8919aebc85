#!/usr/bin/env python3
"""Writes the table of values in the chart's README, deploy/helm/voiceflow/README.md, out of the
comments of values.yaml.

scripts/chart_readme.py            # writes it anew
scripts/chart_readme.py --check    # fails where the file has another one
"""

import json
import re
import sys
from pathlib import Path

import yaml

CHART = Path(__file__).parents[1] / "deploy/helm/voiceflow"
README = CHART / "README.md"
BEGIN, END = "<!-- values -->\n", "<!-- end of values -->"
LONGEST = 60  # characters of a default in the table


def comment(lines: list[str], line: int) -> str:
    """That directly above a line."""
    found: list[str] = []
    while line and (match := re.fullmatch(r" *# ?(.*)", lines[line - 1])):
        found.insert(0, match[1])
        line -= 1
    return " ".join(found)


def rows(node: yaml.MappingNode, lines: list[str], above: str = "") -> list[tuple[str, str, str]]:
    """Each value's path, default and comment; maps of several keys are taken apart."""
    found = []
    for key, value in node.value:
        path = f"{above}{key.value}"
        inner = isinstance(value, yaml.MappingNode) and value.value and not value.flow_style
        text = comment(lines, key.start_mark.line)
        if inner and not text:
            found += rows(value, lines, f"{path}.")
            continue
        default = json.dumps(yaml.safe_load(yaml.serialize(value)))
        found.append((path, default if len(default) <= LONGEST else "", text))
    return found


def table() -> str:
    text = (CHART / "values.yaml").read_text()
    lines = text.splitlines()
    body = [
        f"| `{path}` | {f'`{default}`' if default else 'see values.yaml'} | {about} |"
        for path, default, about in rows(yaml.compose(text), lines)
    ]
    return "\n".join(["| value | default |  |", "| -- | -- | -- |", *body]) + "\n"


def main() -> None:
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if "--check" not in sys.argv[1:]:
        README.write_text(new)
    elif text != new:
        raise SystemExit(
            f"{README}: expected the table that scripts/chart_readme.py writes, found something else"
        )


if __name__ == "__main__":
    main()
