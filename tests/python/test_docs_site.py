"""What makes the site of the documents: links that lead nowhere are found, references are whole.
The site itself is built by `make docs-site`, which is a part of lint."""

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs/site")]

import docs_site  # noqa: E402
import references  # noqa: E402


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "api").mkdir()
    (tmp_path / "page").mkdir()
    (tmp_path / "api/index.html").write_text('<a href="nowhere.html">of another program</a>')
    (tmp_path / "page/index.html").write_text('<h2 id="there">There</h2>')
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        '<a href="page/#there">x</a>',
        '<a href="page/">x</a>',
        '<a href="#here" id="here">x</a>',
        '<a href="page/index.html">x</a>',
    ],
)
def test_links_that_lead_somewhere(site: Path, text: str) -> None:
    (site / "index.html").write_text(text)
    assert docs_site.check(site) == ([], {})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<a href="missing/">x</a>', "missing/ is not there"),
        ('<a href="page/#gone">x</a>', "page/#gone has no such anchor"),
        ('<img src="gone.png">', "gone.png is not there"),
        ('<script src="https://elsewhere.example/a.js"></script>', "loads https://elsewhere.example/a.js"),
        ('<link rel="stylesheet" href="//elsewhere.example/a.css">', "loads //elsewhere.example/a.css"),
    ],
)
def test_links_that_lead_nowhere(site: Path, text: str, reason: str) -> None:
    (site / "index.html").write_text(text)
    broken, _ = docs_site.check(site)
    assert broken == [f"index.html: {reason}"]


def test_addresses_elsewhere_are_listed(site: Path) -> None:
    (site / "index.html").write_text('<a href="https://example.org/">x</a>')
    assert docs_site.check(site) == ([], {"https://example.org/": {"index.html"}})


def test_the_newest_version_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docs_site, "SITE", tmp_path)
    for version in ("0.9.0", "0.10.0", "0.2.1"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "index.html").touch()
    assert docs_site.list_versions() == "0.10.0"
    listed = json.loads((tmp_path / "versions.json").read_text())
    assert [it["version"] for it in listed] == ["0.10.0", "0.9.0", "0.2.1"]
    assert [it["aliases"] for it in listed] == [["latest"], [], []]
    assert "url=0.10.0/" in (tmp_path / "index.html").read_text()


def test_the_reference_of_http_has_every_path() -> None:
    api = json.loads((ROOT / "server/openapi.json").read_text())
    page = references.http(ROOT)
    for path, item in api["paths"].items():
        for method in references.METHODS:
            assert (f"## {method.upper()} {path}\n" in page) == (method in item)
    for name in api["components"]["schemas"]:
        assert f"### {name}\n" in page


def test_the_reference_of_go_has_every_name() -> None:
    page = references.go(ROOT)
    assert page.count("```") % 2 == 0
    sources = [path for path in (ROOT / "bindings/go").glob("*.go") if not path.name.endswith("_test.go")]
    text = "\n".join(path.read_text() for path in sources)
    names = re.findall(r"^(?:func|type) ([A-Z]\w*)", text, flags=re.M)
    assert len(names) > 30
    for name in names:
        assert f"### {name}\n" in page, name
    for kind, method in re.findall(r"^func \(\w* ?\*?([A-Z]\w*)\) ([A-Z]\w*)", text, flags=re.M):
        assert f"### {kind}.{method}\n" in page, f"{kind}.{method}"
