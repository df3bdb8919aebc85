"""What these tests share: a registry on S3, and recordings to measure on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from registries import ROOT, Bucket
from tiny_windows import write_tiny_windows


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """A registry on S3."""
    bucket = Bucket()
    try:
        bucket.make()
        yield bucket
    finally:
        bucket.silence()


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder to measure on."""
    folder = tmp_path / "conversations"
    folder.mkdir()
    for name in ("conversation.flac", "conversation.rttm"):
        (folder / name).symlink_to(ROOT / "examples/data" / name)
    return folder


@pytest.fixture
def windows(tmp_path: Path) -> Path:
    """A folder to train on."""
    return write_tiny_windows(tmp_path / "windows")
