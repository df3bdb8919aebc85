#!/usr/bin/env python3
"""The prose of comments and docstrings, wrapped at 100 columns: Rust, Go, C, C++, Python, shell,
Makefile and TOML.

`wrap_comments.py` writes the files of the repository anew, `--check` names those that would change
and ends with 1. A paragraph is filled; code blocks, indented text, tables, drawings, headings, link
definitions, directives and comments behind code stay as they are.
"""

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WIDTH = 100
ROOT = Path(__file__).resolve().parents[1]
# Made from src/ffi, and kept as it was.
LEFT_OUT = ("include/voiceflow.h", "tests/abi/")
# Files whose names do not say what they are.
KINDS = {"Makefile": ".mk", ".ci/run": ".sh"}

C_STRINGS = r'"(?:\\.|[^"\\\n])*"'
BLOCK = r"/\*.*?\*/"
CHARACTER = r"'(?:\\u\{[^}]*\}|\\x..|\\.|[^\\'\n])'"
# What text in a language consists of besides code: a `//` within a string is no comment.
TOKENS = {
    ".rs": rf'(?s:{BLOCK})|//[^\n]*|b?c?r(?P<n>#*)"(?s:.*?)"(?P=n)|"(?:\\(?s:.)|[^"\\])*"|{CHARACTER}',
    ".go": rf"(?s:{BLOCK})|//[^\n]*|`[^`]*`|{C_STRINGS}|{CHARACTER}",
    ".c": rf"(?s:{BLOCK})|//[^\n]*|{C_STRINGS}|{CHARACTER}",
    ".cpp": rf'(?s:{BLOCK})|//[^\n]*|R"(?P<n>[^(]*)\((?s:.*?)\)(?P=n)"|{C_STRINGS}|{CHARACTER}',
}
TOKENS |= {".h": TOKENS[".c"], ".hpp": TOKENS[".cpp"]}
HASH = r"(?<!\S)#[^\n]*"
TOKENS[".toml"] = rf'{HASH}|"""(?s:.*?)"""|{C_STRINGS}'
TOKENS[".sh"] = rf"{HASH}|<<-?\s*'?(?P<n>\w+)'?\n(?s:.*?)\n\s*(?P=n)\n|'[^']*'|\"(?:\\(?s:.)|[^\"\\])*\""
TOKENS[".mk"] = HASH

FENCE = re.compile(r"\s*(```|~~~)")
ITEM = re.compile(r"\s*([-*+]|\d{1,2}[.)])\s+(?=\S)")
# A parameter of a docstring, whose further lines are indented by four.
ENTRY = re.compile(r"[a-z_]\w*(, [a-z_]\w*)*: ")
# No prose: headings, tables, quotes, link definitions, tags, directives, drawings, columns, code.
KEPT = re.compile(
    r"$|#|\||>|\[[^]]+\]: \S+$|<|[@\\]\w|\W+$|.*(──|[│┌└├▁]|\S {2,}\S)|.*\\$"
    r"|(noqa|type: ignore|fmt: o|pragma|ruff: |mypy: |shellcheck |nolint|NOLINT|clang-format o)"
    r"|[\w.]+ = |[\w.]+\(.*\)$|(for|if|with|while) .*:$"
)
# A paragraph starts where one of these does.
OPENING = re.compile(r"SAFETY: |Returns VF_|#include |--\w")
# A word with what must not be parted from it: code and shapes with spaces in them.
WORD = re.compile(r"(?:``[^`]{1,80}``|`[^`]{1,80}`|\[[\w ,.*/+-]{1,60}\]|[^\s`]|`)+")
# At the start of a line these would mean something.
NEVER_FIRST = re.compile(r"([-*+>|]|#+|\d+[.)]|=+|-+|--\w.*|```.*)$")


def words(text: str) -> list[str]:
    parted: list[str] = []
    for word in WORD.findall(text):
        if parted and NEVER_FIRST.match(word):
            parted[-1] += f" {word}"
        else:
            parted.append(word)
    return parted


def filled(text: str, first: str, rest: str, tail: str = "") -> list[str]:
    """The lines of a paragraph; `tail` ends the last of them."""
    parted = words(text)
    parted[-1] += tail
    lines = [first + parted[0]]
    for word in parted[1:]:
        if len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(rest + word)
    return lines


def paragraphs(lines: list[str]) -> Iterator[tuple[str, str, str | None]]:
    """Text, the mark of its first line and that of the others; what is kept has no mark for
    others."""
    text, first, rest, entries, fenced = "", "", "", False, False
    for line in lines:
        fence, item = FENCE.match(line), ITEM.match(line)
        indent = line[: len(line) - len(line.lstrip())]
        kept = fence or fenced or KEPT.match(line.strip())
        fenced ^= bool(fence)
        entry = not kept and ENTRY.match(line) and (entries or not text)
        # Within a paragraph only a first item starts a list.
        if item and text and not rest and item[1][0].isdigit() and item[1] not in ("1.", "1)"):
            item = None
        if text and not (kept or item or entry or OPENING.match(line)) and indent == rest:
            text += f" {line.strip()}"
            continue
        if text:
            yield text, first, rest
        text, entries = "", bool(entry)
        if line == "Output:":  # of an example in Go: the rest is compared with what it prints
            fenced = True
        if kept or line == "Output:":
            yield line, "", None
        elif item and len(indent) < 4:
            text, first, rest = line[item.end() :], item.group(), " " * item.end()
        elif indent:
            yield line, "", None
        else:
            text, first, rest = line, "", " " * 4 if entry else ""
    if text:
        yield text, first, rest


def wrapped(lines: list[str], first: str, rest: str, tail: str = "") -> list[str]:
    """The lines of a comment, given without their marks, with them: `first`, then `rest`."""
    done: list[str] = []
    pieces = list(paragraphs(lines))
    for number, (text, mark, hang) in enumerate(pieces):
        before = rest if done else first
        end = tail if number == len(pieces) - 1 else ""
        if hang is None:
            done.append((before + text).rstrip() + end)
        else:
            done += filled(text, before + mark, rest + hang, end)
    return done


Replacements = list[tuple[int, int, list[str]]]
"""First row, the row after the last, and what comes in their place."""


def line_comments(source: list[str], rows: list[int], mark: str) -> Replacements:
    """Of comments that have the `rows` to themselves."""
    pattern = re.compile(rf"(?P<mark>\s*{mark})( (?P<text>.*))?$")
    found: Replacements = []
    before, texts, after = "", list[str](), -1
    for row in [*rows, -1]:
        match = pattern.match(source[row]) if row >= 0 else None
        if texts and not (match and row == after and match["mark"] == before):
            found.append((after - len(texts), after, wrapped(texts, f"{before} ", f"{before} ")))
            texts = []
        if match:
            texts.append((match["text"] or "").rstrip())
            before, after = match["mark"], row + 1
    return found


def block_comment(text: str, indent: str) -> list[str] | None:
    """`/* ... */`, or nothing where it is of another form."""
    if not (text.startswith("/* ") and text.endswith(" */")):
        return None
    first, *others = text[3:-3].split("\n")
    mark = re.compile(rf"\s*\*(?: |$)|\s{{0,{len(indent) + 3}}}")
    lines = [first, *(mark.sub("", line, count=1) for line in others)]
    lines = [line.rstrip() for line in lines]
    if lines[-1]:
        return wrapped(lines, f"{indent}/* ", f"{indent} * ", " */")
    return [*wrapped(lines[:-1], f"{indent}/* ", f"{indent} * "), f"{indent} */"]


def of_tokens(text: str, kind: str) -> Replacements:
    source, rows, found = text.split("\n"), list[int](), list[tuple[int, int, list[str]]]()
    for token in re.finditer(TOKENS[kind], text):
        start = text.rfind("\n", 0, token.start()) + 1
        indent, comment = text[start : token.start()], token.group()
        row = text.count("\n", 0, start)
        if indent.strip():
            continue
        if comment.startswith(("//", "#")):
            rows.append(row)
        elif comment.startswith("/*") and text[token.end() : token.end() + 1] == "\n":
            lines = block_comment(comment, indent)
            found += [(row, row + comment.count("\n") + 1, lines)] if lines else []
    return found + line_comments(source, rows, r"(?://[/!]?|#)")


def docstring(lines: list[str], indent: str) -> list[str] | None:
    """A text in three double quotes, or nothing where it is of another form."""
    body = "\n".join(lines).strip()
    if indent.strip() or len(body) < 7 or not (body.startswith('"""') and body.endswith('"""')):
        return None
    first, *others = body[3:-3].split("\n")
    texts = [first, *(line.removeprefix(indent) for line in others)]
    apart = not texts[-1].strip()
    if not first.strip() or texts == [first, ""]:
        return None
    made = wrapped(texts[:-1] if apart else texts, f'{indent}"""', indent, "" if apart else '"""')
    return [*made, f'{indent}"""'] if apart else made


def of_python(text: str, _kind: str) -> Replacements:
    source, inside, found = text.split("\n"), set[int](), list[tuple[int, int, list[str]]]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            inside |= set(range(node.lineno - 1, node.end_lineno or node.lineno))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            first, after = node.lineno - 1, node.end_lineno or node.lineno
            lines = docstring(source[first:after], source[first][: node.col_offset])
            found += [(first, after, lines)] if lines else []
    rows = [row for row, line in enumerate(source) if row not in inside and line.lstrip().startswith("#")]
    return found + line_comments(source, rows, "#")


def rewritten(text: str, kind: str) -> str:
    """A source file of the kind (`.rs`) with its comments wrapped."""
    source = text.split("\n")
    replacements = of_python(text, kind) if kind == ".py" else of_tokens(text, kind)
    for first, after, lines in sorted(replacements, reverse=True):
        source[first:after] = lines
    return "\n".join(source)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing, name the files that would change"
    )
    parser.add_argument(
        "folder", nargs="*", type=Path, default=[Path()], help="of the repository; all if none"
    )
    options = parser.parse_args()
    listed = subprocess.run(
        ["git", "ls-files", "--", *options.folder], cwd=ROOT, capture_output=True, text=True, check=True
    )
    changed = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        kind = KINDS.get(name, path.suffix)
        if kind not in (*TOKENS, ".py") or name.startswith(LEFT_OUT) or path.is_symlink():
            continue
        before = path.read_text()
        after = rewritten(before, kind)
        if after != before:
            changed.append(name)
            if not options.check:
                path.write_text(after)
    for name in changed:
        print(f"{name}: its comments would be wrapped otherwise" if options.check else name)
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
