"""The wheel, in an environment of its own and with no variable set."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import libvoiceflow
import pytest
from conftest import RECORDING, ROOT
from libvoiceflow import Diarizer

FOLDER = ROOT / ".models/accurate"


@pytest.fixture(scope="module")
def wheel() -> Path:
    """What `make wheel` built."""
    return Path(os.environ["VOICEFLOW_WHEEL"])


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel alone asked for. The bundle lies beside it; the rest comes
    from the index."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin/python"
    command = [python, "-m", "pip", "install", "--quiet", "--find-links", wheel.parent, wheel]
    subprocess.run(command, check=True)
    return python


def say(python: Path, *command: str | Path) -> str:
    """What a command prints, with no variable set; it must end well and say nothing else."""
    done = subprocess.run(command, env={}, cwd=python.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_what_is_in_it(wheel: Path) -> None:
    name, version, tag, abi, platform = wheel.stem.split("-")
    assert (name, version, tag, abi) == ("libvoiceflow", libvoiceflow.version(), "py3", "none")
    assert platform.startswith("manylinux_")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = f"libvoiceflow-{version}.dist-info"
        metadata = archive.read(f"{info}/METADATA").decode()
    inside = {"libvoiceflow/libvoiceflow.so.1", "libvoiceflow/voiceflow", "libvoiceflow/py.typed"}
    licences = ("LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES.txt")
    assert inside | {f"{info}/licenses/{name}" for name in licences} <= names
    assert not any("tests" in name or name.endswith(".pyc") for name in names)
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: ")]
    assert [line for line in required if "extra" not in line] == [
        "Requires-Dist: libvoiceflow-models-accurate<2,>=1.1",
        "Requires-Dist: numpy>=1.24",
        "Requires-Dist: onnxruntime>=1.18",
    ]
    assert "onnxruntime-gpu" in str(required) and "import libvoiceflow" in metadata


def test_what_the_bundles_package_has(wheel: Path) -> None:
    """The models and their licences."""
    (bundle,) = wheel.parent.glob("libvoiceflow_models_accurate-*.whl")
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
    files = (
        "metadata.json",
        "segmentation.onnx",
        "embedding.onnx",
        "LICENSE.segmentation",
        "LICENSE.embedding",
    )
    assert {f"libvoiceflow/models/accurate/{file}" for file in files} <= names


def test_a_recording_is_diarized(python: Path) -> None:
    script = (
        "from libvoiceflow import Diarizer; "
        f"print(Diarizer().process({str(RECORDING)!r}).to_rttm('conversation'), end='')"
    )
    with Diarizer(bundle=FOLDER) as diarizer:
        expected = diarizer.process(RECORDING).to_rttm("conversation")
    assert say(python, python, "-c", script) == expected
    arguments = "diarize", "--format", "rttm", RECORDING
    assert say(python, python.with_name("voiceflow"), *arguments) == expected
    assert say(python, python, "-m", "libvoiceflow", *arguments) == expected


def test_its_runtime_and_its_models(python: Path) -> None:
    info = say(python, python.with_name("voiceflow"), "info")
    assert "/site-packages/onnxruntime/capi/libonnxruntime.so." in info
    assert "recordings    accurate 1." in info and "live audio    fast-cnn 1." in info


def test_how_old_a_glibc_may_be(wheel: Path, tmp_path: Path) -> None:
    """No symbol is of a later version than the wheel's name promises."""
    promised = re.fullmatch(r"manylinux_(\d+)_(\d+)_\w+", wheel.stem.split("-")[-1].split(".")[0])
    with zipfile.ZipFile(wheel) as archive:
        files = [
            archive.extract(f"libvoiceflow/{name}", tmp_path) for name in ("libvoiceflow.so.1", "voiceflow")
        ]
    for file in files:
        needs = subprocess.run(["readelf", "-VW", file], capture_output=True, text=True, check=True).stdout
        versions = [(int(major), int(minor)) for major, minor in re.findall(r"GLIBC_(\d+)\.(\d+)", needs)]
        assert (2, 2) < max(versions) <= (int(promised[1]), int(promised[2])), file
