"""The packages for aarch64 where they were made on another machine: their program runs in qemu with
Debian's libraries for that architecture."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import DIST, OLDEST_GLIBC, RECORDING, VERSION, newest_glibc, plain, run

NAME = f"libvoiceflow-{VERSION}-aarch64-linux"
TARBALL = DIST / f"{NAME}.tar.gz"
MACHINE = "Machine:                           AArch64"

pytestmark = pytest.mark.skipif(
    not TARBALL.is_file(), reason="make wheel-portable tarball TARGET=aarch64-unknown-linux-gnu was not run"
)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aarch64")
    with tarfile.open(TARBALL) as archive:
        archive.extractall(folder, filter="data")
    return folder / NAME


def test_files_are_for_that_machine_and_for_an_old_glibc(prefix: Path, tmp_path: Path) -> None:
    [wheel] = DIST.glob(f"libvoiceflow-{VERSION}-py3-none-*_aarch64.whl")
    assert "manylinux_2_28_aarch64" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        inside = Path(archive.extract("libvoiceflow/libvoiceflow.so.1", tmp_path))
    for file in (inside, prefix / "bin/voiceflow", *prefix.glob("lib/*.so.1.*")):
        assert MACHINE in run("readelf", "-hW", file), file
        assert newest_glibc(file) <= OLDEST_GLIBC, file


def test_the_command_line_diarizes(prefix: Path, tmp_path: Path) -> None:
    system = tmp_path / "system"
    libraries = "--include=libc6,libstdc++6,libgcc-s1"
    options = ("--mode=root", "--architectures=arm64", "--variant=extract", libraries)
    run("mmdebstrap", *options, "bookworm", system, "http://deb.debian.org/debian")
    emulated = ("qemu-aarch64", "-L", system, prefix / "bin/voiceflow")
    found = tmp_path / "found.rttm"
    found.write_text(run(*emulated, "diarize", "--format", "rttm", RECORDING, env=plain()))
    reference = RECORDING.with_suffix(".rttm")
    speakers = {line.split()[7] for line in found.read_text().splitlines()}
    assert len(speakers) == len({line.split()[7] for line in reference.read_text().splitlines()})
    info = run(*emulated, "info", env=plain())
    assert str(prefix / "lib/libonnxruntime.so.") in info
