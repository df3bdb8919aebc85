"""Documents name what there is: links, headings, decisions, files, targets of make."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
DOCUMENTS = [ROOT / name for name in LISTED.stdout.splitlines()]
RECORDS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
RULES = "".join((ROOT / name).read_text() for name in ("Makefile", "packaging/packages.mk"))
TARGETS = set(re.findall(r"^([\w-]+):(?!=)", RULES, flags=re.M))


def prose(document: Path) -> str:
    """Without its blocks of code."""
    return re.sub(r"^```.*?^```", "", document.read_text(), flags=re.M | re.S)


def headings(document: Path) -> set[str]:
    """As links name them."""
    titles = re.findall(r"^#+ (.*)$", prose(document), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if link.startswith(("http:", "https:")):
            continue
        name, _, heading = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        if heading and target.suffix == ".md":
            assert heading in headings(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_targets_of_make_exist(document: Path) -> None:
    named = re.findall(r"(?:^|`)make ((?:[a-z][\w-]*(?: |`|$))+)", document.read_text(), flags=re.M)
    for target in " ".join(named).replace("`", " ").split():
        assert target in TARGETS, f"make {target}"


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_a_decision_stands_in_the_index(record: Path) -> None:
    title, status = re.match(r"# \d+\. (.*)\n\n(.*)\.\n", record.read_text()).groups()
    index = (record.parent / "README.md").read_text()
    number = int(record.name[:3])
    row = re.search(rf"^\| \[{number}\]\({record.name}\) \| (.*) \| (.*) \| (.*) \|$", index, flags=re.M)
    assert row, "not in the index"
    assert f"{row[2]}, {row[3]}".lower() == status.lower()
    assert row[1].startswith(title)


def test_files_that_contributing_names_exist() -> None:
    named = re.findall(
        r"`((?:src|tests|cli|docs|batch|bindings|examples|models|include|scripts|fuzz)/[^`\s]*)`",
        prose(ROOT / "CONTRIBUTING.md"),
    )
    assert len(named) > 50
    for path in named:
        assert list(ROOT.glob(re.sub(r"<\w+>", "*", path).rstrip("/"))), path
