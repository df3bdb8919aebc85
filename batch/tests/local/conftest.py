"""Folders of recordings, and the table of a job."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from workers import RECORDING


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of copies of the recording, by their names."""

    def make(*names: str) -> Path:
        place = tmp_path / "meetings"
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(RECORDING, place / name)
        return place

    return make
