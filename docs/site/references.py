"""The references that are made of sources: Python by mkdocstrings, Go by `go doc`, HTTP by the
server's OpenAPI, C++ and Rust as `make docs` wrote them."""

import json
import re
import shutil
import subprocess
from pathlib import Path

METHODS = ("get", "put", "post", "patch", "delete")


def pages(root: Path) -> dict[str, str]:
    """Text in Markdown by its place in the site."""
    return {
        "reference/python.md": python(root),
        "reference/go.md": go(root),
        "reference/http.md": http(root),
        "reference/cpp.md": cpp(),
        "reference/rust.md": rust(root),
    }


def made(root: Path) -> dict[str, Path]:
    """What `make docs` wrote, by its place in the site."""
    folder = root / "target/doc"
    return {f"api/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}


def python(root: Path) -> str:
    """A page that mkdocstrings fills."""
    [package] = [path.parent for path in (root / "bindings/python/src").glob("*/__init__.py")]
    return (
        "# Python\n\nThe package as its docstrings describe it; "
        "[in short](../bindings/python/README.md).\n\n"
        f"::: {package.name}\n"
    )


def go(root: Path) -> str:
    """What `go doc` says of the package, a heading for each name."""
    program = shutil.which("go")
    if program is None:
        raise SystemExit("docs-site: Go is not here; scripts/fetch_go.sh fetches it")
    said = subprocess.run(
        [program, "doc", "-all", "."], cwd=root / "bindings/go", check=True, capture_output=True, text=True
    ).stdout
    lines = ["# Go", "", "What `go doc -all` says; [in short](../bindings/go/README.md).", ""]
    head, _, rest = said.partition("\nCONSTANTS\n")
    for line in head.splitlines():
        lines.append(f"#{line}" if line.startswith("# ") else escaped(line))
    code: list[str] = []

    def close() -> None:
        if any(line.strip() for line in code):
            lines.extend(["", "```go", *code, "```", ""])
        code.clear()

    for line in ["CONSTANTS", *rest.splitlines()]:
        declared = re.match(r"(?:func (?:\([^)]*?\*?(\w+)\) )?|type )(\w+)", line)
        if not closed(code):
            code.append(line)
        elif re.fullmatch(r"[A-Z]{4,}", line):
            close()
            lines.extend(["", f"## {line.capitalize()}", ""])
        elif declared:
            close()
            lines.extend(["", f"### {'.'.join(name for name in declared.groups() if name)}"])
            code.append(line)
        elif line.startswith("    ") or not line.strip():
            close()
            lines.append(escaped(line[4:]))
        else:
            code.append(line)
    close()
    return "\n".join(lines) + "\n"


def closed(code: list[str]) -> bool:
    """Whether a declaration has all its brackets."""
    text = "\n".join(code)
    return all(text.count(one) == text.count(other) for one, other in ("()", "{}"))


def escaped(line: str) -> str:
    """Prose of Go in Markdown: an indented line is code, and stays so."""
    return line if line.startswith("    ") else re.sub(r"([<*_\[\]])", r"\\\1", line)


def http(root: Path) -> str:
    """Paths, parameters and answers of the server's OpenAPI."""
    api = json.loads((root / "server/openapi.json").read_text())
    lines = [
        "# HTTP",
        "",
        f"What a server answers at `/openapi.json` (OpenAPI {api['openapi']}).",
        "[The server](../docs/SERVER.md) says what it means, and has the messages of live streams.",
        "",
    ]

    def whole(part: dict) -> dict:
        """What a reference names."""
        while "$ref" in part:
            named = part["$ref"].removeprefix("#/").split("/")
            part = api
            for name in named:
                part = part[name]
        return part

    def cell(text: str) -> str:
        return " ".join(text.replace("|", "\\|").split())

    for path, item in api["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            lines += [f"## {method.upper()} {path}", ""]
            lines += [
                cell(text) + "\n" for text in (operation.get("summary"), operation.get("description")) if text
            ]
            parameters = [whole(it) for it in [*item.get("parameters", []), *operation.get("parameters", [])]]
            if parameters:
                lines += ["| parameter | in | type |  |", "| -- | -- | -- | -- |"]
                for it in parameters:
                    kind = kind_of(it.get("schema", {}))
                    lines.append(
                        f"| `{it['name']}` | {it['in']} | {kind} | {cell(it.get('description', ''))} |"
                    )
                lines.append("")
            for media, content in whole(operation.get("requestBody", {})).get("content", {}).items():
                lines += [f"Body, `{media}`:", ""]
                lines += fields(whole(content.get("schema", {})), whole, cell)
            lines += ["| status | answer |", "| -- | -- |"]
            for status, answer in operation.get("responses", {}).items():
                lines.append(f"| {status} | {cell(whole(answer).get('description', ''))} |")
            lines.append("")
    lines += ["## Types", ""]
    for name, schema in api.get("components", {}).get("schemas", {}).items():
        lines += [f"### {name}", ""]
        if "description" in schema:
            lines += [cell(schema["description"]), ""]
        lines += fields(schema, whole, cell)
    return "\n".join(lines) + "\n"


def fields(schema: dict, whole, cell) -> list[str]:  # noqa: ANN001
    """The table of an object's members."""
    members = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        members.update(whole(part).get("properties", {}))
    if not members:
        return [f"{kind_of(schema)}", ""]
    rows = ["| member | type |  |", "| -- | -- | -- |"]
    for name, it in members.items():
        rows.append(f"| `{name}` | {kind_of(it)} | {cell(whole(it).get('description', ''))} |")
    return [*rows, ""]


def kind_of(schema: dict) -> str:
    """The type of a member in a word."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if "/schemas/" in schema["$ref"] else name
    if "enum" in schema:
        return ", ".join(f"`{it}`" for it in schema["enum"])
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return " or ".join(kind_of(it) for it in schema[word])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"array of {kind_of(schema.get('items', {}))}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def cpp() -> str:
    """Where the pages of Doxygen are."""
    return """# C++

The C++17 interface stands in headers over the C ABI: move-only handles, spans, exceptions or
`expected`. [Its pages](../api/c/index.html) are made by Doxygen, those of the C header among them.
[Start in five minutes](../docs/start/cpp.md).
"""


def rust(root: Path) -> str:
    """Where the pages of rustdoc are."""
    folders = [path.parent.name for path in (root / "target/doc").glob("*/index.html")]
    rows = "\n".join(f"- [{name}](../api/{name}/index.html)" for name in sorted(folders) if name != "c")
    return f"""# Rust

The pages of rustdoc, a crate each; [start in five minutes](../docs/start/rust.md).

{rows}
"""
