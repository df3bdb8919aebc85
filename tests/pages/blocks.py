"""The code blocks of a page, as they are run: files are written, commands are run, output is
compared.

- A block with a `title` is a file of that name.
- Blocks of `sh` are run one after another, in one folder and one shell.
- A block of `text` is what the commands before it print: its lines in their order, where any number
  stands for any other and "…" for anything.
- `<!-- not run: REASON -->` before a block of `sh` leaves it out.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(
    r"""(?:^<!-- not run: (?P<reason>.*?) -->\n\n)?"""
    r"""^```(?P<language>\w+)?(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$""",
    flags=re.M | re.S,
)


@dataclass
class Step:
    """Commands and what they are to print."""

    commands: str
    expected: list[str] = field(default_factory=list)


@dataclass
class Session:
    """All blocks of a page."""

    files: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def read(page: Path) -> Session:
    """The blocks of a page; one that is none of the known kinds is left to other tests."""
    session = Session()
    for block in BLOCK.finditer(page.read_text()):
        text = block["text"]
        if block["title"]:
            session.files[block["title"]] = text
        elif block["language"] == "sh" and block["reason"]:
            session.left_out.append(block["reason"])
        elif block["language"] == "sh":
            session.steps.append(Step(text))
        elif block["language"] == "text":
            assert session.steps, f"{page}: output before any command"
            session.steps[-1].expected = text.splitlines()
    return session


def pattern(line: str) -> str:
    """What a line of expected output stands for."""
    parts = []
    for part in re.split(r"(…|\s+|\d+(?:\.\d+)?)", line.strip()):
        if part == "…":
            parts.append(".*")
        elif part.isspace():
            parts.append(r"\s+")
        elif re.fullmatch(r"\d+(?:\.\d+)?", part):
            parts.append(r"\d+(?:\.\d+)?")
        else:
            parts.append(re.escape(part))
    return "".join(parts)


def missing(expected: list[str], printed: str) -> str | None:
    """The first expected line that is not printed, or not after the one before it. Lines follow
    each other unless "…" stands between them."""
    lines = printed.splitlines()
    at, skip = 0, False
    for line in expected:
        if line.strip() == "…":
            skip = True
            continue
        form = re.compile(pattern(line))
        within = range(at, len(lines)) if skip else range(at, min(at + 1, len(lines)))
        found = next((index for index in within if form.fullmatch(lines[index].strip())), None)
        # After "…" a label may stand anywhere in its line.
        if found is None and skip:
            found = next((index for index in within if form.search(lines[index])), None)
        if found is None:
            return line
        at, skip = found + 1, False
    return None
