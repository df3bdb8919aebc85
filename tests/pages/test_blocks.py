"""How expected output is compared: what is to fail, fails."""

from pathlib import Path

import blocks
import pytest


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        (["  0.55   5.24 A"], "0.1 9.99   A\nmore"),
        (["a", "…", "3 speakers"], "a\nb\nc\n4 speakers\n"),
        (['{"duration":52.5,…'], '{"duration":1.25,"segments":[]}'),
        (["…", "ada"], "table\nada  0.00\n"),
    ],
)
def test_alike(expected: list[str], printed: str) -> None:
    assert blocks.missing(expected, printed) is None


@pytest.mark.parametrize(
    ("expected", "printed", "line"),
    [
        (["a"], "", "a"),
        (["a", "b"], "a\nx\nb\n", "b"),
        (["3 speakers"], "three speakers\n", "3 speakers"),
        (["…", "b", "…", "a"], "a\nb\n", "a"),
    ],
)
def test_not_alike(expected: list[str], printed: str, line: str) -> None:
    assert blocks.missing(expected, printed) == line


def test_a_page_is_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '# Page\n\n```c title="a.c"\nint a;\n```\n\n```sh\nls\n```\n\n```text\na.c\n```\n\n'
        "<!-- not run: it takes minutes -->\n\n```sh\nmake\n```\n\n```json\n{}\n```\n"
    )
    session = blocks.read(page)
    assert session.files == {"a.c": "int a;\n"}
    assert session.steps == [blocks.Step("ls\n", ["a.c"])]
    assert session.left_out == ["it takes minutes"]
