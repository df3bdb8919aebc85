"""Writes what is linked into libvoiceflow, or into a program of the workspace, as a bill of
materials: CycloneDX 1.5, JSON.

    python3 scripts/sbom.py [target/sbom [PACKAGE [RUNTIME]]]

cargo-cyclonedx lists every package on which the library depends for this system; those of
procedural macros, whose code runs in the compiler, and of features that nothing chose are taken
out. Fails where the rest is not what Cargo links, or where a component lacks a name, a version, a
package URL or a licence. ONNX Runtime is loaded, not linked: it is in the bill where its file, as
scripts/fetch_runtime.sh prints it, is shipped too. Run by `make sbom` and by the images.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOL = ROOT / ".cache" / "cargo-cyclonedx" / "bin"

LIBRARY = "libvoiceflow"
VERSION = "1.5"
"""Of the specification."""


def output(*command: str) -> str:
    """What `command` prints, run in the root with the tool at hand."""
    environment = {**os.environ, "PATH": f"{TOOL}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout


def linked(host: str, package: str) -> set[str]:
    """The packages that Cargo links into `package`, each as name@version; itself among them."""
    tree = output(
        *("cargo", "tree", "--locked", "--quiet", "--package", package, "--target", host),
        *("--edges", "normal,no-proc-macro", "--prefix", "none", "--no-dedupe", "--format", "{p}"),
    )
    lines = [line.split() for line in tree.splitlines() if line]
    return {f"{line[0]}@{line[1].removeprefix('v')}" for line in lines}


def folders() -> dict[str, Path]:
    """The folder of each package of the workspace."""
    metadata = json.loads(output("cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"))
    return {package["name"]: Path(package["manifest_path"]).parent for package in metadata["packages"]}


def listed(host: str, package: str) -> dict:
    """The bill as the tool writes it."""
    # It writes one beside the manifest of each package of the workspace.
    name = f"bom-{os.getpid()}"
    output(
        *("cargo", "cyclonedx", "--quiet", "--format", "json", "--spec-version", VERSION, "--target", host),
        *("--no-build-deps", "--all", "--override-filename", name),
    )
    written = {member: folder / f"{name}.json" for member, folder in folders().items()}
    try:
        return json.loads(written[package].read_text())
    finally:
        for file in written.values():
            file.unlink(missing_ok=True)


def key(component: dict) -> str:
    return f"{component.get('name')}@{component.get('version')}"


def prune(bill: dict, keep: set[str]) -> None:
    """Takes out all components but those of `keep`, and the folders of this machine that name those
    of the workspace."""
    bill["metadata"]["component"].pop("components", None)
    bill["components"] = [component for component in bill["components"] if key(component) in keep]
    names = {}
    for component in (bill["metadata"]["component"], *bill["components"]):
        reference = component["bom-ref"]
        if reference.startswith("path+"):
            component["bom-ref"] = component["purl"] = f"pkg:cargo/{key(component)}"
        names[reference] = component["bom-ref"]
    bill["dependencies"] = [
        {
            "ref": names[entry["ref"]],
            "dependsOn": [names[on] for on in entry.get("dependsOn", []) if on in names],
        }
        for entry in bill["dependencies"]
        if entry["ref"] in names
    ]


def add_runtime(bill: dict, file: Path) -> None:
    """Adds ONNX Runtime, which `file` is."""
    version = file.name.removeprefix("libonnxruntime.so.")
    if not (file.is_file() and version[:1].isdigit()):
        sys.exit(f"sbom: expected libonnxruntime.so.VERSION, found {file}")
    reference = f"pkg:pypi/onnxruntime@{version}"
    runtime = {"type": "library", "bom-ref": reference, "name": "onnxruntime", "version": version}
    runtime["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}]
    runtime |= {"purl": reference, "licenses": [{"license": {"id": "MIT"}}]}
    bill["components"].append(runtime)


def faults(bill: dict, expected: set[str]) -> list[str]:
    """What is wrong with the bill."""
    found = []
    head = bill.get("bomFormat"), bill.get("specVersion")
    if head != ("CycloneDX", VERSION):
        found.append(f"expected CycloneDX {VERSION}, found {head[0]} {head[1]}")
    components = [bill["metadata"]["component"], *bill["components"]]
    for component in components:
        lacking = [field for field in ("name", "version", "purl", "licenses") if not component.get(field)]
        if lacking:
            found.append(f"{key(component)}: expected its {', '.join(lacking)}, found none")
    names = {key(component) for component in components}
    found += [f"{name}: linked, but not listed" for name in sorted(expected - names)]
    found += [f"{name}: listed, but not linked" for name in sorted(names - expected)]
    if str(ROOT) in json.dumps(bill):
        found.append(f"expected no folder of this machine, found {ROOT}")
    return found


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target" / "sbom"
    package = sys.argv[2] if len(sys.argv) > 2 else LIBRARY
    version = output("rustc", "--version", "--verbose")
    host = next(line.removeprefix("host: ") for line in version.splitlines() if line.startswith("host: "))
    expected = linked(host, package)
    bill = listed(host, package)
    prune(bill, expected)
    wrong = faults(bill, expected)
    for text in wrong:
        print(f"sbom: {text}", file=sys.stderr)
    if wrong:
        return 1
    linked_in = len(bill["components"])
    if len(sys.argv) > 3:
        add_runtime(bill, Path(sys.argv[3]))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{package}.cdx.json"
    file.write_text(json.dumps(bill, indent=2) + "\n")
    print(f"{file}: {linked_in} packages linked into {key(bill['metadata']['component'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
