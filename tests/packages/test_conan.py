"""Conan makes its package by the recipe, and a program in C++ uses it."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from conftest import ROOT, THIRD_PARTIES, plain, run

CONAN = ROOT / ".cache/packaging/bin/conan"
BUILT = ROOT / "target" / f"{platform.machine()}-unknown-linux-gnu" / "release"


def test_the_recipe_makes_a_package_that_works(tmp_path: Path) -> None:
    environment = {**plain(), "CONAN_HOME": str(tmp_path / "conan"), "VOICEFLOW_BUILT": str(BUILT)}
    run(CONAN, "profile", "detect", env=environment)
    outside = "--conf=tools.cmake.cmake_layout:test_folder=$TMP"
    create = (CONAN, "create", ROOT / "packaging/conan", outside)
    done = subprocess.run(create, env=environment, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and said.count("SPEAKER recording 1 ") > 10, said
    [notices] = tmp_path.glob("conan/p/**/p/licenses/THIRD-PARTY-NOTICES.txt")
    assert all(words in notices.read_text() for words in THIRD_PARTIES)
