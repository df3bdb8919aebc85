"""Makes the tree the source of the site: what mkdocs asks, told by what git tracks.

Pages are the tracked documents, under their own paths, so that their links hold as they are. What
else a document links to becomes a page with its text, or the file itself where it is a picture.
"""

import posixpath
import re
import subprocess
from pathlib import Path
from typing import Any

import references
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PICTURES = {".png", ".svg"}

LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
CODE = re.compile(r"^(```+|~~~+).*?^\1\s*$|`[^`\n]+`", flags=re.M | re.S)

LANGUAGES = {
    ".c": "c", ".cpp": "cpp", ".go": "go", ".h": "c", ".hpp": "cpp", ".json": "json", ".py": "python",
    ".rs": "rust", ".sh": "sh", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml",
}  # fmt: skip

LONGEST = 300_000
"""Bytes of a file that is shown as a page."""


def tracked() -> set[str]:
    """Paths in the tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return {path for path in listed.stdout.splitlines() if (ROOT / path).is_file()}


class Tree:
    """What is in the tree, and where the site shows it."""

    def __init__(self) -> None:
        self.paths = tracked()
        self.folders = {str(parent) for path in self.paths for parent in Path(path).parents} - {"."}
        self.shown: set[str] = set()

    def place(self, path: str) -> str | None:
        """The page of what a document links to; none where it is no part of the tree."""
        if path.endswith(".md") or Path(path).suffix in PICTURES:
            return path if path in self.paths else None
        if path in self.folders:
            readme = f"{path}/README.md"
            if readme in self.paths:
                return readme
            self.shown.add(path)
            return f"source/{path}/index.md"
        if path in self.paths:
            self.shown.add(path)
            return f"source/{path}.md"
        return None

    def text_of(self, path: str) -> str:
        """The page of a file or a folder, in Markdown."""
        title = f"---\nsearch:\n  exclude: true\n---\n\n# {path}\n\n"
        if path in self.folders:
            within = sorted(it for it in self.paths if it.startswith(f"{path}/"))
            rows = [
                f"- [{it.removeprefix(path + '/')}]({up(f'source/{path}/index.md')}{it})" for it in within
            ]
            return title + "\n".join(rows) + "\n"
        data = (ROOT / path).read_bytes()
        if len(data) > LONGEST or b"\0" in data:
            return f"{title}{len(data):,} bytes, which are not shown here.\n"
        text = data.decode(errors="replace")
        # Longer than any fence within.
        fence = "`" * max(4, *(len(run) + 1 for run in re.findall(r"`+", text)), 4)
        return f"{title}{fence}{LANGUAGES.get(Path(path).suffix, 'text')}\n{text}\n{fence}\n"


def up(page: str) -> str:
    """The way from a page to the root of the site's source."""
    return "../" * page.count("/")


tree = Tree()


def relinked(text: str, page: str) -> str:
    """The text of a document with its links to files of the tree led to their pages."""

    def lead(match: re.Match) -> str:
        before, target, after = match.groups()
        if re.match(r"[a-z]+:", target):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        place = tree.place(path)
        if place is None:
            return match[0]
        # A heading of a file that is no document is none of its page.
        after = ")" if place.startswith("source/") else after
        return f"{before}{posixpath.relpath(place, posixpath.dirname(page) or '.')}{after}"

    pieces, last = [], 0
    for code in CODE.finditer(text):
        pieces += [LINK.sub(lead, text[last : code.start()]), code[0]]
        last = code.end()
    return "".join(pieces) + LINK.sub(lead, text[last:])


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Adds the documents, what they link to, and the references."""
    for path in sorted(tree.paths):
        if path.endswith(".md"):
            text = relinked((ROOT / path).read_text(), path)
            files.append(File.generated(config, path, content=text))
        elif Path(path).suffix in PICTURES and path.startswith("docs/images/"):
            files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    done: set[str] = set()
    # The pages of folders name more files.
    while left := tree.shown - done:
        for path in sorted(left):
            place = tree.place(path)
            files.append(File.generated(config, place, content=relinked(tree.text_of(path), place)))
        done |= left
    for place, text in references.pages(ROOT).items():
        files.append(File.generated(config, place, content=text))
    for place, file in references.made(ROOT).items():
        files.append(File.generated(config, place, abs_src_path=str(file)))
    return files
