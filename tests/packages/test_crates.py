"""The crates: complete without the checkout, and installed by `cargo install` into an empty home,
where the command finds the ONNX Runtime of a Python environment."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from conftest import RECORDING, ROOT, VERSION, plain, run

CRATES = ("libvoiceflow", "libvoiceflow-cli")
# What docs.rs builds with, see Cargo.toml.
DOCUMENTED = "embedded-model,serde"


def cargo_environment(home: Path) -> dict[str, str]:
    """A home of its own. The crates of others that this machine has are not fetched again."""
    cargo_home = home / "cargo"
    cargo_home.mkdir(parents=True)
    used = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    (cargo_home / "registry").symlink_to(used / "registry")
    toolchains = os.environ.get("RUSTUP_HOME") or str(Path.home() / ".rustup")
    return {**plain(), "HOME": str(home), "CARGO_HOME": str(cargo_home), "RUSTUP_HOME": toolchains}


@pytest.fixture(scope="module")
def crates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The crates as a registry would give them, unpacked. Each was compiled from what it contains:
    the library first, which the others then take from it."""
    folder = tmp_path_factory.mktemp("crates")
    environment = {**plain(), "CARGO_TARGET_DIR": str(ROOT / "target/crates")}
    packages = [part for crate in CRATES for part in ("--package", crate)]
    run("cargo", "publish", *packages, "--dry-run", "--locked", "--allow-dirty", cwd=ROOT, env=environment)
    run("cargo", "package", *packages, "--no-verify", "--locked", "--allow-dirty", cwd=ROOT, env=environment)
    for crate in CRATES:
        with tarfile.open(ROOT / f"target/crates/package/{crate}-{VERSION}.crate") as archive:
            archive.extractall(folder, filter="data")
    return folder


def test_they_have_the_licences(crates: Path) -> None:
    for crate in CRATES:
        names = {path.name for path in (crates / f"{crate}-{VERSION}").iterdir()}
        assert {"LICENSE-MIT", "LICENSE-APACHE", "README.md", "Cargo.toml"} <= names, crate


def test_docs_rs_can_build_the_documentation(crates: Path) -> None:
    features = f'features = ["{DOCUMENTED.replace(",", chr(34) + ", " + chr(34))}"]'
    assert features in (ROOT / "Cargo.toml").read_text()
    environment = {
        **plain(),
        "RUSTDOCFLAGS": "-D warnings --cfg docsrs",
        "CARGO_TARGET_DIR": str(ROOT / "target/crates"),
    }
    library = crates / f"libvoiceflow-{VERSION}"
    run("cargo", "doc", "--no-deps", "--lib", "--features", DOCUMENTED, cwd=library, env=environment)
    assert (ROOT / "target/crates/doc/voiceflow/diarizer/struct.Diarizer.html").is_file()


def test_the_command_is_installed_into_an_empty_home(crates: Path, tmp_path: Path) -> None:
    environment = cargo_environment(tmp_path / "home")
    library = crates / f"libvoiceflow-{VERSION}"
    # Nobody has published the library yet.
    published = f'patch.crates-io.libvoiceflow.path="{library}"'
    options = ("--config", published, "--path", crates / f"libvoiceflow-cli-{VERSION}")
    # With the profile in which the dry run has compiled what both need.
    built = {**environment, "CARGO_TARGET_DIR": str(ROOT / "target/crates")}
    run("cargo", "install", "--debug", *options, cwd=tmp_path, env=built)
    command = tmp_path / "home/cargo/bin/voiceflow"
    diarize = (command, "diarize", "--models", "fast-cnn", "--format", "rttm", RECORDING)

    without = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    refused = subprocess.run(diarize, env=without, capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "`pip install onnxruntime`" in refused.stderr, refused

    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", venv)
    run(venv / "bin/pip", "install", "--quiet", "onnxruntime")
    found = run(*diarize, env={**without, "VIRTUAL_ENV": str(venv)}).splitlines()
    assert len(found) > 10 and all(line.startswith("SPEAKER conversation 1 ") for line in found)
