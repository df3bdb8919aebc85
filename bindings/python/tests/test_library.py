"""Where libvoiceflow and ONNX Runtime are found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import libvoiceflow
import numpy
import onnxruntime
import pytest
from conftest import RECORDING, ROOT
from libvoiceflow._library import library

PACKAGE = Path(libvoiceflow.__file__).parent
RUNTIME = next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"))
LIBRARY = Path(library()._name)
# Prints the ONNX Runtime and the libvoiceflow that are in memory.
SCRIPT = f"""
import libvoiceflow
libvoiceflow.Diarizer().process({str(RECORDING)!r})
maps = [line.split()[-1] for line in open("/proc/self/maps") if ".so" in line]
print(next(path for path in maps if "libonnxruntime.so" in path))
print(next(path for path in maps if "libvoiceflow" in path))
"""


def run(
    folder: Path, script: str = SCRIPT, without_packages: bool = False, **environment: str | Path
) -> subprocess.CompletedProcess[str]:
    """Runs the script with the package that lies in `folder`, and these variables alone."""
    paths = [folder, Path(numpy.__file__).parents[1]]
    if without_packages:
        alone = folder / "alone"
        alone.mkdir()
        for name in ("numpy", "numpy.libs"):
            (alone / name).symlink_to(paths[1] / name)
        paths[1] = alone
    command = [sys.executable, "-S", "-c", script]
    variables = {name: str(value) for name, value in environment.items()}
    variables["PYTHONPATH"] = ":".join(str(path) for path in paths)
    return subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The package without a library."""
    shutil.copytree(PACKAGE, tmp_path / "libvoiceflow", ignore=shutil.ignore_patterns("*.so*", "__pycache__"))
    return tmp_path


@pytest.fixture
def bundled(folder: Path) -> Path:
    """The package with a library, as in the wheel."""
    shutil.copy(LIBRARY, folder / "libvoiceflow/libvoiceflow.so.1")
    return folder


def found(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the script printed."""
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_library_in_the_package_with_the_installed_runtime(bundled: Path) -> None:
    assert found(run(bundled)) == [str(RUNTIME), str(bundled / "libvoiceflow/libvoiceflow.so.1")]


def test_the_library_of_the_environment(bundled: Path, tmp_path: Path) -> None:
    other = str(shutil.copy(LIBRARY, tmp_path / "other-libvoiceflow.so"))
    assert found(run(bundled, VOICEFLOW_LIBRARY=other)) == [str(RUNTIME), other]


def test_the_library_of_the_system(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    there = str(shutil.copy(LIBRARY, tmp_path / "lib/libvoiceflow.so.1"))
    assert found(run(folder, LD_LIBRARY_PATH=tmp_path / "lib"))[1] == there


def test_a_runtime_beside_the_library(bundled: Path) -> None:
    beside = shutil.copy(RUNTIME, bundled / "libvoiceflow")
    assert found(run(bundled))[0] == str(beside)


@pytest.mark.parametrize("name", ["VOICEFLOW_ORT_LIBRARY", "ORT_DYLIB_PATH"])
def test_a_runtime_of_the_environment(bundled: Path, tmp_path: Path, name: str) -> None:
    other = str(shutil.copy(RUNTIME, tmp_path / RUNTIME.name))
    assert found(run(bundled, **{name: other}))[0] == other


def test_a_runtime_by_option_holds_for_all(bundled: Path, tmp_path: Path) -> None:
    """The installed one is not forced on what is made later."""
    other = str(shutil.copy(RUNTIME, tmp_path / RUNTIME.name))
    script = f"import libvoiceflow\nkept = libvoiceflow.Session(runtime_library={other!r})\n{SCRIPT}"
    assert found(run(bundled, script))[0] == other


def test_onnxruntime_is_not_imported(bundled: Path) -> None:
    script = SCRIPT + "import sys; print('onnxruntime' in sys.modules)"
    assert found(run(bundled, script))[-1] == "False"


def test_no_runtime(bundled: Path) -> None:
    done = run(bundled, without_packages=True)
    assert "RuntimeNotFoundError" in done.stderr and str(bundled) in done.stderr


def test_no_library(folder: Path) -> None:
    done = run(folder)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("libvoiceflow._errors.LibraryNotFoundError: libvoiceflow cannot be loaded:")
    assert "VOICEFLOW_LIBRARY (not set)" in last and str(folder / "libvoiceflow/libvoiceflow.so.1") in last
    assert "/nowhere.so" in run(folder, VOICEFLOW_LIBRARY="/nowhere.so").stderr
    assert "expected libvoiceflow, got" in run(folder, VOICEFLOW_LIBRARY=RUNTIME).stderr


def test_another_binary_interface(folder: Path) -> None:
    source, other = folder / "other.c", folder / "other.so"
    source.write_text("unsigned vf_abi_version(void) { return 2; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", source, "-o", other], check=True)
    assert "expected binary interface 1, got 2" in run(folder, VOICEFLOW_LIBRARY=other).stderr
    source.write_text("unsigned vf_abi_version(void) { return 1; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", source, "-o", other], check=True)
    assert "older than this package" in run(folder, VOICEFLOW_LIBRARY=other).stderr


def test_the_version_is_the_projects() -> None:
    assert f'version = "{libvoiceflow.version()}"' in (ROOT / "Cargo.toml").read_text()
    assert os.environ.get("VOICEFLOW_LIBRARY")
