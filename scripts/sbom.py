"""Writes what is linked into libvoiceflow, or into a program of the workspace, as a bill of
materials: CycloneDX 1.5, JSON.

    python3 scripts/sbom.py [target/sbom [PACKAGE [RUNTIME]]]

The packages, their licences and what they need are Cargo's own answers for this system, their
hashes those of Cargo.lock; procedural macros, whose code runs in the compiler, and features that
nothing chose are left out. Fails where the list is not what Cargo links, or where a component lacks
a name, a version, a package URL or a licence. ONNX Runtime is loaded, not linked: it is in the bill
where its file, as scripts/fetch_runtime.sh prints it, is shipped too. Run by `make sbom` and by the
images.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[1]

LIBRARY = "libvoiceflow"
VERSION = "1.5"
"""Of the specification."""


def output(*command: str) -> str:
    """What `command` prints, run in the root."""
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def this_system() -> str:
    """As Rust calls it."""
    version = output("rustc", "--version", "--verbose")
    return next(line.removeprefix("host: ") for line in version.splitlines() if line.startswith("host: "))


def linked(host: str, package: str) -> set[str]:
    """The packages that Cargo links into `package`, each as name@version; itself among them."""
    tree = output(
        *("cargo", "tree", "--locked", "--quiet", "--package", package, "--target", host),
        *("--edges", "normal,no-proc-macro", "--prefix", "none", "--no-dedupe", "--format", "{p}"),
    )
    lines = [line.split() for line in tree.splitlines() if line]
    return {f"{line[0]}@{line[1].removeprefix('v')}" for line in lines}


def key(component: dict) -> str:
    return f"{component.get('name')}@{component.get('version')}"


def purl(package: dict) -> str:
    return f"pkg:cargo/{key(package)}"


def component(package: dict, checksums: dict[str, str]) -> dict:
    """A package of Cargo's metadata as CycloneDX has it."""
    found = {"type": "library", "bom-ref": purl(package), "name": package["name"]}
    found |= {"version": package["version"], "purl": purl(package)}
    if package["description"]:
        found["description"] = " ".join(package["description"].split())
    if package["license"]:
        # The slash is what Cargo had before expressions of SPDX.
        found["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if key(package) in checksums:
        found["hashes"] = [{"alg": "SHA-256", "content": checksums[key(package)]}]
    if package["repository"]:
        found["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return found


def listed(host: str, package: str, keep: set[str]) -> dict:
    """The bill of `package`, of the packages of `keep` that it needs."""
    metadata = json.loads(
        output("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host)
    )
    packages = {it["id"]: it for it in metadata["packages"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {key(it): it["checksum"] for it in lock["package"] if "checksum" in it}
    needs = {
        node["id"]: [
            on["pkg"]
            for on in node["deps"]
            if any(kind["kind"] is None for kind in on["dep_kinds"]) and key(packages[on["pkg"]]) in keep
        ]
        for node in metadata["resolve"]["nodes"]
    }
    [root] = [it for it in metadata["workspace_members"] if packages[it]["name"] == package]
    found, ahead = [root], [root]
    while ahead:
        new = [on for on in needs[ahead.pop()] if on not in found]
        found += dict.fromkeys(new)
        ahead += new
    rest = sorted(found[1:], key=lambda it: purl(packages[it]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "version": 1,
        "metadata": {"component": component(packages[root], checksums)},
        "components": [component(packages[it], checksums) for it in rest],
        "dependencies": [
            {"ref": purl(packages[it]), "dependsOn": sorted({purl(packages[on]) for on in needs[it]})}
            for it in [root, *rest]
        ],
    }


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
    components = [bill["metadata"]["component"], *bill["components"]]
    for it in components:
        lacking = [field for field in ("name", "version", "purl", "licenses") if not it.get(field)]
        if lacking:
            found.append(f"{key(it)}: expected its {', '.join(lacking)}, found none")
    names = {key(it) for it in components}
    found += [f"{name}: linked, but not listed" for name in sorted(expected - names)]
    found += [f"{name}: listed, but not linked" for name in sorted(names - expected)]
    if str(ROOT) in json.dumps(bill):
        found.append(f"expected no folder of this machine, found {ROOT}")
    return found


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target" / "sbom"
    package = sys.argv[2] if len(sys.argv) > 2 else LIBRARY
    system = this_system()
    expected = linked(system, package)
    bill = listed(system, package, expected)
    wrong = faults(bill, expected)
    for text in wrong:
        print(f"sbom: {text}", file=sys.stderr)
    if wrong:
        return 1
    count = len(bill["components"])
    if len(sys.argv) > 3:
        add_runtime(bill, Path(sys.argv[3]))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{package}.cdx.json"
    file.write_text(json.dumps(bill, indent=2) + "\n")
    print(f"{file}: {count} packages linked into {key(bill['metadata']['component'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
