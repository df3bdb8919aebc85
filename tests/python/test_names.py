"""What the project tells to install is its own: `voiceflow` belongs to others on PyPI and on
crates.io."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {
    "libvoiceflow",
    "libvoiceflow-batch",
    "libvoiceflow-cli",
    "libvoiceflow-models-accurate",
    "libvoiceflow-registry",
    "libvoiceflow-server",
}
TEXT = re.compile(r"Makefile|.*\.(md|py|ipynb|rs|go|c|h|hpp|cpp|sh|toml|ya?ml|txt)")
# An installation by any package manager, up to the end of the command.
INSTALLATION = re.compile(
    r"\b(?:pip3?|pipx|uv|conda|mamba|brew|npm|conan|vcpkg|apt|apt-get|cargo|go)\s+(?:pip\s+)?"
    r"(?:install|add|get|download|run)\b(?P<rest>[^\n`;&|]*)"
)
PYTHON_MODULE = re.compile(r"^\s*(?:import|from) voiceflow\b|python3? -m voiceflow\b", flags=re.M)


def named(text: str) -> list[str]:
    """The packages with our name in them that commands of the text install."""
    words = " ".join(found["rest"] for found in INSTALLATION.finditer(text)).split()
    names = [
        re.split(r"[\[=<>~!@;\"')]", word.strip("\"'(,.:"))[0] for word in words if not word.startswith("-")
    ]
    # A path is a file of this project, a part with a slash a feature of a crate.
    return [name for name in names if "voiceflow" in name and "/" not in name]


def tracked() -> list[Path]:
    """The files that a reader may copy a command from; this one names what is not ours."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in names.stdout.split("\0")]
    return [path for path in paths if TEXT.fullmatch(path.name) and path.name != Path(__file__).name]


def test_commands_install_packages_of_ours() -> None:
    found = {(str(path.relative_to(ROOT)), name) for path in tracked() for name in named(path.read_text())}
    assert len(found) > 3
    assert {(path, name) for path, name in found if name not in OURS} == set()


def test_python_imports_the_package_of_ours() -> None:
    paths = [path for path in tracked() if path.suffix in {".py", ".ipynb", ".md"}]
    strangers = []
    for path in paths:
        text = path.read_text()
        if path.suffix == ".ipynb":
            text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        strangers += [str(path.relative_to(ROOT)) for _ in PYTHON_MODULE.finditer(text)]
    assert strangers == []


def test_packages_are_called_so() -> None:
    manifests = [
        ROOT / name for name in ("Cargo.toml", "cli/Cargo.toml", "registry/Cargo.toml", "server/Cargo.toml")
    ]
    manifests += [ROOT / "bindings/python/pyproject.toml", ROOT / "batch/pyproject.toml"]
    manifests += ROOT.glob("packaging/*/pyproject.toml")
    for manifest in manifests:
        text = manifest.read_text()
        assert re.search(r"^\[(?:package|project)\]\nname = \"(.*)\"$", text, flags=re.M)[1] in OURS, manifest
    assert '[lib]\nname = "voiceflow"\n' in (ROOT / "Cargo.toml").read_text()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pip install voiceflow", ["voiceflow"]),
        ('Needs `pip install "voiceflow[cpu]" jupyter`.', ["voiceflow"]),
        ("python -m pip install -q voiceflow==0.1", ["voiceflow"]),
        ("cargo add voiceflow && cargo build", ["voiceflow"]),
        ("uv pip install libvoiceflow[cuda]", ["libvoiceflow"]),
        ("pip install dist/voiceflow-0.1.whl, then `import voiceflow`", []),
        ("sudo apt install voiceflow", ["voiceflow"]),
    ],
)
def test_a_command_is_read(text: str, names: list[str]) -> None:
    assert named(text) == names
