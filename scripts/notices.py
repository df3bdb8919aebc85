"""Writes and checks the notices of third parties: the crates that are linked into what we ship,
their licences with the texts, and where their source is.

    python3 scripts/notices.py write CARGO-ABOUT   anew, by that program; `make notices`
    python3 scripts/notices.py check               whether all that Cargo links is named

They are files of packaging/notices, one for a program and the library in it, and lie in every
package. They are committed, so that a package is made without cargo-about, whose compilation takes
minutes, and without the sources of the crates.
"""

import json
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import sbom
import tomllib
from sbom import ROOT, output

FOLDER = ROOT / "packaging" / "notices"
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
SHIPPED = {
    "libvoiceflow-cli": "the library libvoiceflow and the program voiceflow",
    "libvoiceflow-server": "the program voiceflow-server",
}
"""What each package becomes."""

INTRODUCTION = """\
The crates below, which others wrote, are part of {what}. Each stands with its licence and with the
address of its source, a tar file compressed by gzip. All are used as they are published there. This
is also where the source of the crates under the Mozilla Public License 2.0 (MPL-2.0) is found, as
its section 3.2 asks.

opusic-sys contains libopus. The standard library of Rust is part of {what} too: MIT OR Apache-2.0,
Copyright (c) The Rust Project Contributors, https://github.com/rust-lang/rust.

Where a crate offers several licences, it is used under the one whose text follows. libvoiceflow
itself is under MIT OR Apache-2.0; ONNX Runtime, where a package has it, has a notice of its own.
"""
WITHOUT_A_FILE = "The package has no file with this text; its copyright is that of the authors above."
RULE = "-" * 100
LISTED = re.compile(r"^([\w-]+) (\d\S*): ", flags=re.M)


def linked(package: str, target: str) -> set[str]:
    """The crates of others that Cargo links into `package`, each as `name version`."""
    return {it.replace("@", " ") for it in sbom.linked(target, package)} & locked()


def locked() -> set[str]:
    """The crates of others that Cargo.lock has."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    return {f"{it['name']} {it['version']}" for it in lock["package"] if "source" in it}


def faults(text: str, expected: set[str]) -> list[str]:
    """What is wrong with a notice that should name the `expected` crates."""
    names = {f"{name} {version}" for name, version in LISTED.findall(text)}
    found = [f"{name}: linked, but not in the notice" for name in sorted(expected - names)]
    return found + [f"{name}: in the notice, but not in Cargo.lock" for name in sorted(names - locked())]


def key(crate: dict) -> str:
    return f"{crate['name']} {crate['version']}"


def paragraph(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 100, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def entry(crate: dict, licence: str) -> str:
    """A crate in the list, its authors where it names them."""
    source = f"https://static.crates.io/crates/{crate['name']}/{crate['version']}/download"
    lines = [f"{key(crate)}: {licence}", f"    {source}"]
    if crate["authors"]:
        lines.append(paragraph(f"    {', '.join(crate['authors'])}", "    "))
    return "\n".join(lines)


def licence_text(licence: dict, names: list[str]) -> str:
    """A licence, as the crates of these names have it."""
    lines = [RULE, paragraph(f"{licence['name']} ({licence['id']}), of {', '.join(names)}")]
    if not licence["source_path"]:
        lines.append(WITHOUT_A_FILE)
    text = "\n".join(line.rstrip() for line in licence["text"].splitlines())
    return "\n".join([*lines, RULE, "", text.strip("\n"), ""])


def render(what: str, found: dict, expected: set[str]) -> str:
    """The notice, out of what cargo-about says of the `expected` crates."""
    paragraphs = INTRODUCTION.format(what=what).split("\n\n")
    title = f"Third parties in {what}"
    parts = [title, "=" * len(title), ""]
    parts += [f"{paragraph(' '.join(text.split()))}\n" for text in paragraphs]
    crates = [(it["package"], it["license"]) for it in found["crates"] if key(it["package"]) in expected]
    parts += [f"{entry(crate, licence)}\n" for crate, licence in sorted(crates, key=lambda it: key(it[0]))]
    texts = []
    for licence in found["licenses"]:
        names = sorted({key(user["crate"]) for user in licence["used_by"]} & expected)
        if names:
            texts.append((licence["id"], names, licence_text(licence, names)))
    parts += [text for _, _, text in sorted(texts)]
    return "\n".join(parts)


def ask(cargo_about: str) -> dict:
    """What cargo-about finds in the sources of all crates, without the network."""
    with tempfile.TemporaryDirectory() as work:
        file = Path(work, "found.json")
        command = (cargo_about, "generate", "--workspace", "--format", "json", "--frozen", "--fail")
        files = ("--config", FOLDER / "about.toml", "--output-file", file)
        subprocess.run([*command, *files], cwd=ROOT, check=True)
        return json.loads(file.read_text())


def write(cargo_about: str) -> None:
    found = ask(cargo_about)
    for package, what in SHIPPED.items():
        expected = set().union(*(linked(package, target) for target in TARGETS))
        text = render(what, found, expected)
        file = FOLDER / f"{package}.txt"
        file.write_text(text)
        print(f"{file}: {len(expected)} crates, {len(text.encode()) / 1000:.0f} kB")


def check() -> list[str]:
    """What is wrong with the notices that there are, for what is built on this machine."""
    system = sbom.this_system()
    found = []
    for package in SHIPPED:
        file = FOLDER / f"{package}.txt"
        found += [f"{file.name}: {text}" for text in faults(file.read_text(), linked(package, system))]
    return found


def main() -> int:
    match sys.argv[1:]:
        case ["write", cargo_about]:
            # Cargo fetches what is missing of the sources; cargo-about then stays off the network.
            output("cargo", "fetch", "--locked")
            write(cargo_about)
        case ["check"]:
            pass
        case other:
            print(f"notices: expected write CARGO-ABOUT, or check, got {' '.join(other)!r}", file=sys.stderr)
            return 2
    wrong = check()
    for text in wrong:
        print(f"notices: {text}; `make notices` writes it anew", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
