#!/usr/bin/env python3
"""Builds the documents as a site, into target/site/VERSION, and checks its links.

Without a warning, or not at all. Every link, picture and anchor within the site has to lead
somewhere; addresses elsewhere are listed in target/site/external.txt and not asked. The versions
that lie in target/site are listed on every page; target/site itself leads to the newest.
"""

import argparse
import json
import logging
import os
import re
import sys
import urllib.parse
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "target/site"


class Links(HTMLParser):
    """Targets and anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.anchors |= {named[key] for key in ("id", "name") if named.get(key)}
        if tag == "a" and named.get("href"):
            self.links.append(named["href"])
        loads = named.get("src") if tag in ("img", "script", "iframe", "source") else None
        if tag == "link" and named.get("rel") in ("stylesheet", "icon", "preload"):
            loads = named.get("href")
        if loads:
            self.loaded.append(loads)


def read(page: Path, known: dict[Path, Links]) -> Links:
    """The links of a page, read once."""
    if page not in known:
        known[page] = Links()
        known[page].feed(page.read_text(errors="replace"))
    return known[page]


def check(folder: Path) -> tuple[list[str], dict[str, set[str]]]:
    """What leads nowhere, and the addresses elsewhere with the pages that name them."""
    known: dict[Path, Links] = {}
    broken, external = [], {}
    for page in sorted(folder.rglob("*.html")):
        here = page.relative_to(folder)
        # Those of rustdoc and Doxygen are theirs, and are not written by hand.
        if here.parts[0] == "api":
            continue
        found = read(page, known)
        for target in found.loaded:
            if re.match(r"(?:[a-z]+:)?//", target):
                broken.append(f"{here}: loads {target}")
        for target in found.links + found.loaded:
            if re.match(r"(?:https?:)?//", target):
                external.setdefault(target, set()).add(str(here))
                continue
            if re.match(r"(?:mailto|javascript|data):", target):
                continue
            path, _, anchor = urllib.parse.unquote(target).partition("#")
            # The page of what is not there has addresses from the root.
            goal = folder / path.lstrip("/") if path.startswith("/") else page.parent / path
            goal = (goal if path else page).resolve()
            goal = goal / "index.html" if goal.is_dir() else goal
            if not goal.exists():
                broken.append(f"{here}: {target} is not there")
            elif anchor and goal.suffix == ".html" and anchor not in read(goal, known).anchors:
                broken.append(f"{here}: {target} has no such anchor")
    return broken, external


def order(version: str) -> list[int]:
    """For sorting."""
    return [int(number) for number in re.findall(r"\d+", version)]


def list_versions() -> str:
    """Writes the list of versions and the page that leads to the newest. Gives the newest."""
    folders = [path.name for path in SITE.iterdir() if (path / "index.html").exists()]
    versions = sorted(folders, key=order, reverse=True)
    listed = [{"version": it, "title": it, "aliases": []} for it in versions]
    listed[0]["aliases"] = ["latest"]
    (SITE / "versions.json").write_text(json.dumps(listed, indent=2) + "\n")
    page = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={versions[0]}/">'
    (SITE / "index.html").write_text(f'{page}<a href="{versions[0]}/">libvoiceflow {versions[0]}</a>\n')
    return versions[0]


def main() -> int:
    """Builds and checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    [version] = re.findall(r'^version = "([^"]+)"$', (ROOT / "Cargo.toml").read_text(), flags=re.M)[:1]
    parser.add_argument("--version", default=version, help="the folder, by default that of Cargo.toml")
    options = parser.parse_args()
    if not (ROOT / "target/doc/c/index.html").exists():
        sys.exit("docs-site: target/doc is not there; `make docs` writes it")
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    sys.path.insert(0, str(ROOT / "docs/site"))
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort, ConfigurationError

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    folder = SITE / options.version
    try:
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    except (Abort, ConfigurationError) as error:
        print(f"docs-site: {error}", file=sys.stderr)
        return 1
    broken, external = check(folder)
    (SITE / "external.txt").write_text(
        "".join(f"{target}  {', '.join(sorted(pages))}\n" for target, pages in sorted(external.items()))
    )
    for line in broken:
        print(f"docs-site: {line}", file=sys.stderr)
    newest = list_versions()
    pages = sum(1 for _ in folder.rglob("index.html"))
    print(f"docs-site: {pages} pages in {folder.relative_to(ROOT)}, the newest version is {newest}")
    print(f"docs-site: {len(broken)} broken links, {len(external)} addresses elsewhere, in external.txt")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
