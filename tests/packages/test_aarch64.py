"""The packages for aarch64 where they were made on another machine: their library runs in qemu with
Debian's libraries for that architecture, in the command line, in Python and in a program in C."""

from __future__ import annotations

import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import ARCH, DIST, OLDEST_GLIBC, RECORDING, ROOT, VERSION, newest_glibc, plain, run

NAME = f"libvoiceflow-{VERSION}-aarch64-linux"
TARBALL = DIST / f"{NAME}.tar.gz"
MACHINE = "Machine:                           AArch64"
ZIG = (ROOT / ".cache/packaging/bin/python", "-m", "ziglang")
# The other models take minutes there.
FAST = "fast-cnn"
SYSTEM = "libc6,libstdc++6,libgcc-s1,python3,python3-numpy"
PROCESSOR = """processor\t: 0
BogoMIPS\t: 125.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
"""

pytestmark = [
    pytest.mark.skipif(ARCH == "aarch64", reason="they are this machine's, which the other tests install"),
    pytest.mark.skipif(
        not TARBALL.is_file(), reason="make packages TARGET=aarch64-unknown-linux-gnu was not run"
    ),
]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aarch64")
    with tarfile.open(TARBALL) as archive:
        archive.extractall(folder, filter="data")
    return folder / NAME


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip would unpack."""
    [file] = DIST.glob(f"libvoiceflow-{VERSION}-py3-none-*_aarch64.whl")
    assert "manylinux_2_28_aarch64" in file.name
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages of Debian for that architecture, unpacked: none of their programs runs for it. ONNX
    Runtime looks at /proc/cpuinfo when it is loaded, where qemu shows this machine's, which ends
    it: a Cortex-A72 stands there instead."""
    folder = tmp_path_factory.mktemp("system") / "root"
    options = ("--mode=root", "--architectures=arm64", "--variant=extract", f"--include={SYSTEM}")
    run("mmdebstrap", *options, "bookworm", folder, "http://deb.debian.org/debian")
    (folder / "proc").mkdir(exist_ok=True)
    (folder / "proc/cpuinfo").write_text(PROCESSOR)
    return folder


def emulated(system: Path, *command: str | Path, **variables: str) -> str:
    """What a program for that machine prints; the variables are for it alone."""
    set_there = [part for name, value in variables.items() for part in ("-E", f"{name}={value}")]
    return run("qemu-aarch64", "-L", system, *set_there, *command, env=plain())


@pytest.fixture(scope="module")
def excerpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two turns of the recording, each by another speaker: a second takes seconds
    there."""
    file = tmp_path_factory.mktemp("excerpt") / "excerpt.wav"
    run("flac", "--silent", "--decode", "--until=0:10.5", "--output-name", file, RECORDING)
    return file


def check(rttm: str) -> None:
    """Both turns are found where the reference has them."""
    found = [line.split() for line in rttm.splitlines()]
    expected = [line.split() for line in RECORDING.with_suffix(".rttm").read_text().splitlines()[:2]]
    assert [float(turn[3]) for turn in found] == pytest.approx(
        [float(turn[3]) for turn in expected], abs=0.2
    ), rttm
    assert len({turn[7] for turn in found}) == 2, rttm


def test_files_are_for_that_machine_and_for_an_old_glibc(prefix: Path, wheel: Path) -> None:
    inside = [wheel / "libvoiceflow" / name for name in ("libvoiceflow.so.1", "voiceflow")]
    for file in (*inside, prefix / "bin/voiceflow", *prefix.glob("lib/*.so.1.*")):
        assert MACHINE in run("readelf", "-hW", file), file
        assert newest_glibc(file) <= OLDEST_GLIBC, file


def test_the_command_line_diarizes(prefix: Path, system: Path, excerpt: Path) -> None:
    command = prefix / "bin/voiceflow"
    check(emulated(system, command, "diarize", "--models", FAST, "--format", "rttm", excerpt))


def test_a_program_in_c(prefix: Path, system: Path, excerpt: Path, tmp_path: Path) -> None:
    flags = run(
        *("pkg-config", "--cflags", "--libs", "voiceflow"),
        env={**plain(), "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")},
    ).split()
    source, program = ROOT / "tests/consumers/pkg-config/main.c", tmp_path / "consumer"
    target = ("-target", f"aarch64-linux-gnu.{OLDEST_GLIBC[0]}.{OLDEST_GLIBC[1]}")
    run(*ZIG, "cc", *target, "-std=c99", source, *flags, f"-Wl,-rpath,{prefix}/lib", "-o", program)
    check(emulated(system, program, excerpt, FAST))


def test_python_diarizes_with_the_wheel(prefix: Path, wheel: Path, system: Path, excerpt: Path) -> None:
    script = (
        "import platform, libvoiceflow; assert platform.machine() == 'aarch64'; "
        f"diarizer = libvoiceflow.Diarizer(bundle={FAST!r}); "
        f"print(diarizer.process({str(excerpt)!r}).to_rttm('conversation'), end='')"
    )
    [runtime] = prefix.glob("lib/libonnxruntime.so.*")
    packages = system / "usr/lib/python3/dist-packages"
    libraries = system / "usr/lib/aarch64-linux-gnu"
    variables = {
        "PYTHONHOME": str(system / "usr"),
        "PYTHONPATH": f"{wheel}:{packages}",
        # Those of numpy are links that an installation would make.
        "LD_LIBRARY_PATH": f"{libraries}:{libraries}/blas:{libraries}/lapack",
        "VOICEFLOW_ORT_LIBRARY": str(runtime),
    }
    [python] = [path for path in (system / "usr/bin").iterdir() if re.fullmatch(r"python3\.\d+", path.name)]
    check(emulated(system, python, "-c", script, **variables))


def test_debian_packages() -> None:
    names = ("libvoiceflow1", "libvoiceflow-dev", "libvoiceflow-tools")
    debs = [DIST / f"{name}_{VERSION}_arm64.deb" for name in names]
    assert run("lintian", "--allow-root", "--fail-on=error,warning", *debs) == ""
    library, dev, tools = (run("dpkg-deb", "--field", deb, "Depends").strip() for deb in debs)
    # As packages on a machine of that architecture have them.
    assert re.fullmatch(r"libc6 \(>= 2\.28\), libgcc-s1 \(>= [\d.]+\), libstdc\+\+6", library), library
    assert dev == f"libvoiceflow1 (= {VERSION})"
    assert tools == f"libvoiceflow1 (= {VERSION}), libc6 (>= 2.28)"
    listed = run("dpkg-deb", "--contents", debs[0])
    assert f"/usr/lib/aarch64-linux-gnu/libvoiceflow.so.1.{VERSION}" in listed, listed
