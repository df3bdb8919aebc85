"""Writes the Go package as a module that `go get` fetches, in the form of a module proxy.

    python3 scripts/go_module.py example.com/owner/libvoiceflow/bindings/go FOLDER

GOPROXY=file://FOLDER serves it, and so does any web server that has the folder's files. The path of
the module is said here alone: go.mod, and each import of the package in its own files, get it. The
version is that of the library. The header goes along, so that `go build -tags dlopen` needs nothing
else.
"""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "bindings/go"
# The name of the module in this project, and what a path of one looks like.
NAME = "voiceflow"
PATH = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[a-z0-9._~-]+)+")
# Of every file, so that equal sources give equal bytes.
TIME = (2020, 2, 2, 0, 0, 0)


def version() -> str:
    return "v" + re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), flags=re.M)[1]


def files() -> dict[str, bytes]:
    """The tracked files of the package, links as what they lead to."""
    names = subprocess.run(["git", "ls-files"], cwd=PACKAGE, capture_output=True, text=True, check=True)
    return {name: (PACKAGE / name).read_bytes() for name in names.stdout.splitlines()}


def moved(name: str, content: bytes, module: str) -> bytes:
    """A file of the module under its path."""
    if name == "go.mod":
        return re.sub(rb"^module \S+$", b"module " + module.encode(), content, flags=re.M)
    if name.endswith(".go"):
        imported = rb'^((?:import)?\s*(?:\w+ )?")' + NAME.encode() + rb'((?:/[\w/]+)?")$'
        return re.sub(imported, rb"\g<1>" + module.encode() + rb"\g<2>", content, flags=re.M)
    return content


def main() -> int:
    if len(sys.argv) != 3 or not PATH.fullmatch(sys.argv[1]):
        got = " ".join(sys.argv[1:])
        print(
            f"go_module.py: expected a path such as example.com/owner/project and a folder, got '{got}'",
            file=sys.stderr,
        )
        return 2
    module, number = sys.argv[1], version()
    content = {name: moved(name, data, module) for name, data in files().items()}
    folder = Path(sys.argv[2], module, "@v")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{number}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(content.items()):
            archive.writestr(zipfile.ZipInfo(f"{module}@{number}/{name}", TIME), data, zipfile.ZIP_DEFLATED)
    (folder / f"{number}.mod").write_bytes(content["go.mod"])
    (folder / f"{number}.info").write_text(json.dumps({"Version": number, "Time": "2020-02-02T00:00:00Z"}))
    (folder / "list").write_text(number + "\n")
    print(f"{module} {number}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
