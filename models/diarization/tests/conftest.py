"""Lets the tests import the packages where they are not installed, and makes windows for them to
train on."""

import sys
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2]
sys.path[:0] = [str(MODELS / "diarization"), str(MODELS / "public")]


@pytest.fixture
def windows(tmp_path: Path) -> Path:
    """A folder to train on."""
    from tiny_windows import write_tiny_windows

    return write_tiny_windows(tmp_path / "windows")
