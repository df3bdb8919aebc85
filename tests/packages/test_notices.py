"""The notices are what cargo-about finds today."""

import sys
from pathlib import Path

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import notices  # noqa: E402


def test_they_are_what_cargo_about_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed = notices.FOLDER
    (tmp_path / "about.toml").write_text((committed / "about.toml").read_text())
    monkeypatch.setattr(notices, "FOLDER", tmp_path)
    notices.write(str(ROOT / ".cache/cargo-about/bin/cargo-about"))
    for package in notices.SHIPPED:
        name = f"{package}.txt"
        assert (tmp_path / name).read_text() == (committed / name).read_text(), name
