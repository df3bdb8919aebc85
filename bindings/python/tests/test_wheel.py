"""The wheel, in an environment of its own and with no variable set."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import libvoiceflow
import pytest
from conftest import RECORDING
from libvoiceflow import Diarizer


@pytest.fixture(scope="module")
def wheel() -> Path:
    """What `make wheel` built."""
    return Path(os.environ["VOICEFLOW_WHEEL"])


def test_what_is_in_it(wheel: Path) -> None:
    name, version, python, abi, platform = wheel.stem.split("-")
    assert (name, version, python, abi) == ("libvoiceflow", libvoiceflow.version(), "py3", "none")
    assert platform.startswith("manylinux_")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = f"libvoiceflow-{version}.dist-info"
        metadata = archive.read(f"{info}/METADATA").decode()
    inside = {"libvoiceflow/libvoiceflow.so.1", "libvoiceflow/py.typed", "libvoiceflow/__init__.py"}
    assert inside | {f"{info}/licenses/LICENSE-MIT", f"{info}/licenses/LICENSE-APACHE"} <= names
    assert {f"libvoiceflow/licenses/LICENSE.{network}" for network in ("segmentation", "embedding")} <= names
    assert not any("tests" in name or name.endswith(".pyc") for name in names)
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: ")]
    assert [line for line in required if "extra" not in line] == [
        "Requires-Dist: numpy>=1.24",
        "Requires-Dist: onnxruntime>=1.18",
    ]
    assert "onnxruntime-gpu" in str(required) and "import libvoiceflow" in metadata


def test_a_recording_is_diarized(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    script = (
        "from libvoiceflow import Diarizer; "
        f"print(Diarizer().process({str(RECORDING)!r}).to_rttm('x'), end='')"
    )
    done = subprocess.run(
        [python, "-c", script], env={}, cwd=tmp_path, check=True, capture_output=True, text=True
    )
    with Diarizer() as diarizer:
        assert done.stdout == diarizer.process(RECORDING).to_rttm("x") and done.stderr == ""
