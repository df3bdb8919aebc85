"""The prose of comments is wrapped, and nothing else of a file is touched."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from wrap_comments import WIDTH, rewritten  # noqa: E402

LONG = " ".join(f"word{number}" for number in range(30))
KEPT = {
    "code in a string": (".rs", f'let text = "\n    // {LONG}\n";\n'),
    "code in a raw string": (".rs", f'let text = r#"\n// {LONG}"#;\n'),
    "a quote in a character": (".rs", f'let quote = \'"\';\nlet text = "\n// {LONG}";\n'),
    "a raw string of Go": (".go", f"var text = `\n// {LONG}`\n"),
    "a raw string of C++": (".cpp", f'auto text = R"x(\n// {LONG})x";\n'),
    "a string of Python": (".py", f'text = """\n# {LONG}\n"""\n'),
    "a string of TOML": (".toml", f'text = """\n# {LONG}\n"""\n'),
    "a document in a shell script": (".sh", f"cat <<'END'\n# {LONG}\nEND\n"),
    "a string of a shell script": (".sh", f"sed '\n# {LONG}\n'\n"),
    "a comment behind code": (".rs", f"call(); // {LONG}\n"),
    "a code block": (".rs", f"/// ```\n/// {LONG}\n/// a();\n/// ```\n"),
    "indented text": (".go", f"// Text:\n//\n//\t{LONG}\n//\ta()\n"),
    "a drawing": (".rs", "//! a ──> b\n//!       └─> c\n"),
    "a heading": (".rs", "/// # Errors\n/// Short.\n"),
    "a table": (".rs", "/// | a | b |\n/// |---|---|\n"),
    "a link": (".rs", "/// [a]: https://example.org\n/// [b]: https://example.org\n"),
    "a directive": (".go", "// The build:\n\n//go:build linux && cgo\n//nolint:errcheck\n"),
    "what an example of Go prints": (".go", "\t// Output:\n\t// 1 a\n\t// 2 b\n"),
    "a code line of a docstring": (".py", 'def f():\n    """Text.\n\n    a = f()\n    b(a)\n    """\n'),
}
WRITTEN = {
    "a paragraph is filled": (
        ".rs",
        f"/// One\n/// two.\n///\n/// {LONG}\n",
        "/// One two.\n///\n/// {0}\n/// {1}\n/// {2}\n",
    ),
    "items hang": (".rs", f"    /// - `a`: {LONG}\n", "    /// - `a`: {0}\n    ///   {1}\n    ///   {2}\n"),
    "comments of another kind are apart": (".rs", "//! a\n// b\n/// c\n", "//! a\n// b\n/// c\n"),
    "a safety comment is a paragraph": (
        ".rs",
        f"// Text.\n// SAFETY: {LONG}\n",
        "// Text.\n// SAFETY: {0}\n// {1}\n// {2}\n",
    ),
    "a block of C": (".c", f"\t/* {LONG} */\n", "\t/* {0}\n\t * {1}\n\t * {2} */\n"),
    "a block of C with an end of its own": (".c", "/* One\n * two\n */\n", "/* One two\n */\n"),
    "a comment of Go": (".go", f"\t// {LONG}\n", "\t// {0}\n\t// {1}\n\t// {2}\n"),
    "a comment of Python": (
        ".py",
        f"if a:\n    # {LONG}\n    b()\n",
        "if a:\n    # {0}\n    # {1}\n    # {2}\n    b()\n",
    ),
    "a comment of a shell script": (
        ".sh",
        f"# It's so.\na 'b'\n# {LONG}\n",
        "# It's so.\na 'b'\n# {0}\n# {1}\n# {2}\n",
    ),
    "a docstring": (".py", f'def f():\n    """{LONG}"""\n', 'def f():\n    """{0}\n    {1}\n    {2}"""\n'),
    "parameters": (
        ".py",
        f'def f():\n    """Text.\n\n    a: {LONG}\n    b, c: one\n        two\n    """\n',
        'def f():\n    """Text.\n\n    a: {0}\n        {1}\n        {2}\n    b, c: one two\n    """\n',
    ),
}


@pytest.mark.parametrize(("kind", "text"), KEPT.values(), ids=KEPT)
def test_what_is_no_prose_is_kept(kind: str, text: str) -> None:
    assert rewritten(text, kind) == text


@pytest.mark.parametrize(("kind", "text", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_prose_is_wrapped(kind: str, text: str, expected: str) -> None:
    made = rewritten(text, kind)
    lines = expected.split("\n")
    assert len(made.split("\n")) == len(lines)
    words = LONG.split(" ")
    for line, wanted in zip(made.split("\n"), lines, strict=True):
        assert len(line) <= WIDTH
        before, *holes = wanted.split("{")
        if holes:  # as many of the words as have room
            assert line.startswith(before)
            count = len(line[len(before) :].split())
            after = holes[0].split("}")[1]
            assert line == before + " ".join(words[:count]) + after
            words = words[count:]
            assert not words or len(f"{line} {words[0]}") > WIDTH
        else:
            assert line == wanted
    assert rewritten(made, kind) == made


@pytest.mark.parametrize("whole", ["`code that is long`", "``code -- of Python``", "[batch, frames, 3]"])
def test_code_and_shapes_are_not_parted(whole: str) -> None:
    for before in range(60, 100):
        lines = rewritten(f"/// {'x' * before} {whole} {'y' * 60}\n", ".rs").split("\n")
        assert any(whole in line for line in lines), before


def test_no_line_begins_with_what_means_something() -> None:
    lines = rewritten(f"/// {'x' * 90} - {'y' * 70} 2. {'z' * 90} --option {'a' * 90}\n", ".rs").split("\n")
    assert len(lines) > 3 and not any(line.startswith(("/// - ", "/// 2.", "/// --")) for line in lines)
