"""The Debian packages: clean by lintian, and installed into a Debian of their own, where programs
in C are built with them and run."""

from __future__ import annotations

import platform
import re
import shutil
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

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
NAMES = ("libvoiceflow1", "libvoiceflow-dev", "libvoiceflow-tools")
DEBS = {name: DIST / f"{name}_{VERSION}_{ARCHITECTURE}.deb" for name in NAMES}
LIBRARIES = f"usr/lib/{ARCH}-linux-gnu"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("debs")
    for deb in DEBS.values():
        run("dpkg-deb", "--extract", deb, folder)
    return folder


def test_lintian_finds_nothing() -> None:
    options = ("--allow-root", "--fail-on=error,warning")
    assert run("lintian", *options, *DEBS.values()) == ""


@pytest.mark.parametrize("name", NAMES)
def test_what_they_need(name: str) -> None:
    needs = run("dpkg-deb", "--field", DEBS[name], "Depends")
    if name == "libvoiceflow1":
        assert re.search(r"libc6 \(>= 2\.28\)", needs) and "libstdc++6" in needs, needs
    else:
        assert f"libvoiceflow1 (= {VERSION})" in needs


def test_what_others_depend_on(tmp_path: Path) -> None:
    run("dpkg-deb", "--control", DEBS["libvoiceflow1"], tmp_path)
    shlibs = (tmp_path / "shlibs").read_text()
    assert shlibs == f"libvoiceflow 1 libvoiceflow1 (>= {VERSION})\n"
    assert "ldconfig" in (tmp_path / "triggers").read_text()


def test_files(unpacked: Path) -> None:
    library = unpacked / LIBRARIES / f"libvoiceflow.so.1.{VERSION}"
    [runtime] = (unpacked / LIBRARIES / "voiceflow").glob("libonnxruntime.so.*")
    for file in (library, runtime, unpacked / "usr/bin/voiceflow"):
        assert newest_glibc(file) <= OLDEST_GLIBC, file
    for name in NAMES:
        assert "Copyright (c) 2026 The libvoiceflow authors" in licence(unpacked, name)
    assert "Copyright (c) Microsoft Corporation" in licence(unpacked, "libvoiceflow1")
    assert "Copyright (c) 2020 CNRS" in licence(unpacked, "libvoiceflow1")
    for name in ("libvoiceflow1", "libvoiceflow-tools"):
        notices = run("zcat", unpacked / f"usr/share/doc/{name}/THIRD-PARTY-NOTICES.txt.gz")
        assert all(words in notices for words in THIRD_PARTIES)
    assert (unpacked / "usr/share/doc/libvoiceflow1/onnxruntime/ThirdPartyNotices.txt.gz").is_file()


def licence(unpacked: Path, name: str) -> str:
    return (unpacked / f"usr/share/doc/{name}/copyright").read_text()


def test_the_manual_has_every_command(unpacked: Path) -> None:
    page = run("zcat", unpacked / "usr/share/man/man1/voiceflow.1.gz").replace("\\-", "-")
    usage = run(unpacked / "usr/bin/voiceflow", "--help")
    commands = re.findall(
        r"^  ([a-z-]+) {2,}\S", usage.split("Commands:")[1].split("Options:")[0], flags=re.M
    )
    assert len(commands) > 10
    assert [name for name in commands if name != "help" and f"\n.B {name}\n" not in page] == []


# Debian 11 has the oldest glibc of those whose libstdc++ ONNX Runtime can use: 2.31.
@pytest.mark.parametrize("suite", ["bullseye", "bookworm"])
def test_they_are_installed_into_a_clean_debian(suite: str, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    files = (*DEBS.values(), RECORDING, ROOT / "tests/consumers/pkg-config/main.c")
    for file in files:
        shutil.copy(file, given)
    build = "cc -std=c99 main.c $(pkg-config --cflags --libs voiceflow) -o consumer"
    script = (
        "set -eu; cd /given; apt-get install --yes --no-install-recommends ./*.deb; "
        f"{build}; ./consumer conversation.flac >consumer.rttm; "
        "voiceflow diarize --format rttm conversation.flac >command.rttm; voiceflow info >info; "
        "apt-get purge --yes libvoiceflow1; test ! -e /usr/bin/voiceflow; "
        "test -z \"$(find /usr/lib /usr/share/doc -name '*voiceflow*')\""
    )
    (tmp_path / "script").write_text(script)
    (tmp_path / "made").mkdir()
    run(
        *("mmdebstrap", "--variant=apt", "--include=gcc,libc6-dev,pkg-config"),
        f"--customize-hook=copy-in {given} /",
        f"--customize-hook=copy-in {tmp_path / 'script'} /",
        '--customize-hook=chroot "$1" sh /script',
        f"--customize-hook=copy-out /given {tmp_path / 'made'}",
        *(suite, "/dev/null", "http://deb.debian.org/debian"),
        env=plain(),
    )
    made = tmp_path / "made/given"
    consumer = (made / "consumer.rttm").read_text().splitlines()
    assert len(consumer) > 10 and all(line.startswith("SPEAKER recording 1 ") for line in consumer)
    assert len((made / "command.rttm").read_text().splitlines()) == len(consumer)
    assert f"/{LIBRARIES}/voiceflow/libonnxruntime.so." in (made / "info").read_text()
