"""The batch job of examples/python/ray_batch.py on a cluster of a head and two workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import libvoiceflow
import pytest
import ray.cluster_utils

ROOT = Path(__file__).resolve().parents[2]
JOB = ROOT / "examples/python/ray_batch.py"
RECORDING = ROOT / "examples/data/conversation.flac"
COPIES = 40
PATIENCE_S = 300


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster of two worker nodes of one CPU each; nothing runs on its head."""
    cluster = ray.cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster.address
    cluster.shutdown()


def run(address: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The job as a user starts it."""
    return subprocess.run(
        [sys.executable, JOB, *arguments],
        env={**os.environ, "RAY_ADDRESS": address},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


def folder(place: Path, copies: int) -> Path:
    """A folder with copies of the recording."""
    place.mkdir()
    for number in range(copies):
        (place / f"meeting-{number:02}.flac").symlink_to(RECORDING)
    return place


def test_a_folder_is_diarized_by_both_nodes(address: str, tmp_path: Path) -> None:
    done = run(address, folder(tmp_path / "in", COPIES), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    first, second, third = done.stdout.splitlines()[-3:]
    assert first.startswith(f"{COPIES} of {COPIES} recordings, 0.58 h of audio in ")
    assert second == "by 2 workers on 2 nodes"
    speed = re.fullmatch(r"([\d.]+) hours of audio per second, (\d+) times real time", third)
    assert speed is not None and abs(float(speed[1]) * 3600 / float(speed[2]) - 1) < 0.1
    expected = libvoiceflow.Diarizer(threads=1).process(RECORDING)
    written = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in written] == [f"meeting-{number:02}.rttm" for number in range(COPIES)]
    for file in written:
        assert file.read_text() == expected.to_rttm(file.stem)


def test_a_file_that_cannot_be_read(address: str, tmp_path: Path) -> None:
    place = folder(tmp_path / "in", 3)
    (place / "broken.wav").write_text("no audio")
    (place / "notes.txt").write_text("no recording")
    done = run(address, place, tmp_path / "out", "--concurrency", "1")
    assert done.returncode == 1 and "broken.wav" in done.stderr and "Traceback" not in done.stderr
    assert "3 of 4 recordings" in done.stdout and "by 1 workers on 1 nodes" in done.stdout
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_folder_that_cannot_be_diarized(address: str, tmp_path: Path) -> None:
    place = folder(tmp_path / "in", 0)
    done = run(address, place, tmp_path / "out")
    assert done.returncode == 1 and "expected recordings (" in done.stderr and "Traceback" not in done.stderr
    for name in ("a.wav", "a.flac"):
        (place / name).symlink_to(RECORDING)
    assert "differ in more than" in run(address, place, tmp_path / "out").stderr
