"""The tarball, unpacked somewhere: programs in C and C++ are built with it and run."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from conftest import (
    ARCH,
    DIST,
    OLDEST_GLIBC,
    RECORDING,
    ROOT,
    THIRD_PARTIES,
    VERSION,
    newest_glibc,
    plain,
    run,
)

NAME = f"libvoiceflow-{VERSION}-{ARCH}-linux"
CONSUMERS = ROOT / "tests/consumers"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("un packed")
    with tarfile.open(DIST / f"{NAME}.tar.gz") as archive:
        members = archive.getmembers()
        assert {member.name.split("/")[0] for member in members} == {NAME}
        assert {(member.uid, member.gid) for member in members} == {(0, 0)}
        archive.extractall(folder, filter="data")
    return folder / NAME


def test_names_of_the_library(prefix: Path) -> None:
    library = prefix / f"lib/libvoiceflow.so.1.{VERSION}"
    assert library.is_file() and not library.is_symlink()
    assert (prefix / "lib/libvoiceflow.so.1").readlink() == Path(library.name)
    assert (prefix / "lib/libvoiceflow.so").readlink() == Path("libvoiceflow.so.1")
    assert "Library soname: [libvoiceflow.so.1]" in run("readelf", "-dW", library)


def test_how_old_a_glibc_may_be(prefix: Path) -> None:
    files = [prefix / "bin/voiceflow", *prefix.glob("lib/*.so.1.*")]
    assert len(files) == 3
    for file in files:
        assert (2, 2) < newest_glibc(file) <= OLDEST_GLIBC, file


def test_licences(prefix: Path) -> None:
    folder = prefix / "share/doc/voiceflow"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "LICENSE.embedding",
        "LICENSE.segmentation",
        "THIRD-PARTY-NOTICES.txt",
        "onnxruntime/LICENSE",
        "onnxruntime/ThirdPartyNotices.txt",
    }
    notices = (folder / "THIRD-PARTY-NOTICES.txt").read_text()
    assert all(words in notices for words in THIRD_PARTIES)


def check(program: Path) -> None:
    lines = run(program, RECORDING, env=plain()).splitlines()
    assert len(lines) > 10 and all(line.startswith("SPEAKER recording 1 ") for line in lines), lines


def test_a_program_in_c_by_pkg_config(prefix: Path, tmp_path: Path) -> None:
    # A path with a space in it is not what make takes.
    moved = tmp_path / "prefix"
    moved.symlink_to(prefix)
    places = (f"PKG_CONFIG_PATH={moved}/lib/pkgconfig", f"OUT={tmp_path}/consumer")
    run("make", "-C", CONSUMERS / "pkg-config", *places, env=plain())
    check(tmp_path / "consumer")


def test_a_program_in_cpp_by_cmake(prefix: Path, tmp_path: Path) -> None:
    run("cmake", "-S", CONSUMERS / "cmake", "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}", env=plain())
    run("cmake", "--build", tmp_path, env=plain())
    check(tmp_path / "consumer")


def test_the_command_line(prefix: Path) -> None:
    found = run(prefix / "bin/voiceflow", "diarize", "--format", "rttm", RECORDING, env=plain())
    assert len(found.splitlines()) > 10
    info = run(prefix / "bin/voiceflow", "info", env=plain())
    assert str(prefix / "lib/libonnxruntime.so.") in info
