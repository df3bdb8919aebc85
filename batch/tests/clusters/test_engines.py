"""The same job on each engine, from S3 into S3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import workers
from conftest import Cluster
from pyarrow import fs
from workers import RECORDING

FAST = ("--models", "fast-cnn")
BAD = b"no audio"


class Folder:
    """A folder of the bucket."""

    def __init__(self, bucket: str, name: str) -> None:
        self.address = f"{bucket}/{name}-{uuid.uuid4().hex[:8]}"
        self.store = fs.S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"], region="us-east-1")
        self.path = self.address.removeprefix("s3://")

    def put(self, name: str, data: bytes) -> None:
        with self.store.open_output_stream(f"{self.path}/{name}") as stream:
            stream.write(data)

    def files(self) -> dict[str, bytes]:
        selector = fs.FileSelector(self.path, allow_not_found=True, recursive=True)
        paths = [info.path for info in self.store.get_file_info(selector)]
        return {path.rpartition("/")[2]: self.store.open_input_file(path).read() for path in paths}

    def rows(self) -> list[dict[str, Any]]:
        read: list[dict[str, Any]] = pq.read_table(self.path, filesystem=self.store).to_pylist()
        return read


@pytest.fixture
def meetings(bucket: str) -> Folder:
    return Folder(bucket, "meetings")


@pytest.fixture
def turns(bucket: str) -> Folder:
    return Folder(bucket, "turns")


def once(rows: list[dict[str, Any]]) -> bool:
    return set(Counter((row["recording"], row["turn"]) for row in rows).values()) == {1}


@cache
def commands_result(*options: str) -> list[dict[str, Any]]:
    """What `voiceflow diarize` says about the recording."""
    command = [Path(sys.executable).parent / "voiceflow", "diarize", RECORDING, "--format", "json", *options]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    segments: list[dict[str, Any]] = json.loads(said)["segments"]
    return segments


def test_results_are_those_of_the_command(cluster: Cluster, meetings: Folder, turns: Folder) -> None:
    """With the models that both take by themselves."""
    good = ("a.flac", "deeper/b.flac", "with space+&%20ü.flac")
    for name in good:
        meetings.put(name, RECORDING.read_bytes())
    meetings.put("broken.wav", BAD)
    meetings.put("notes.md", BAD)
    code, out, err = cluster.run(meetings.address, turns.address, "--part-size", "2")
    assert code == 0, err
    assert out.startswith("4 of 4 recordings, 0 were there\n0.04 h of audio in "), out
    assert "1 files of other kinds were passed over" in err and "1 recordings failed" in err
    assert len(turns.files()) == 2
    rows = turns.rows()
    expected = commands_result()
    assert once(rows) and len(expected) > 10
    for name in good:
        found = [row for row in rows if row["recording"] == f"{meetings.address}/{name}"]
        for row, segment in zip(sorted(found, key=lambda row: row["turn"]), expected, strict=True):
            assert (
                round(row["start_s"], 3) == segment["start_s"] and round(row["end_s"], 3) == segment["end_s"]
            )
            assert row["confidence"] == pytest.approx(segment["confidence"], abs=1e-4)
            assert (row["speaker"], row["overlap"]) == (segment["speaker"], segment["overlap"])
            assert row["status"] == "ok" and row["model"].startswith("accurate/")
    (broken,) = [row for row in rows if row["recording"] == f"{meetings.address}/broken.wav"]
    assert broken["status"] == "failed" and broken["error"] and broken["turn"] is None


def test_a_worker_is_killed(cluster: Cluster, meetings: Folder, turns: Folder) -> None:
    """Beam's own runner waits for it for ever: it is ended too, and the next run does the rest."""
    count, size = 40, 2
    for number in range(count):
        meetings.put(f"{number:02}.flac", RECORDING.read_bytes())
    words = (meetings.address, turns.address, "--part-size", str(size), *FAST)
    running = cluster.begin(*words)
    workers.kill_one(lambda: bool(turns.files()))
    begun = turns.files()
    assert 0 < len(begun) < count / size, "it was killed at the end"
    if cluster.engine == "beam":
        workers.wait_until("the other worker goes on", lambda: len(turns.files()) > len(begun) + 1)
        for process in [*workers.descendants(running.pid), running.pid]:
            os.kill(process, signal.SIGKILL)
        running.communicate()
        after = turns.files()
        there = len(after) * size
        assert there < count
        code, out, err = cluster.run(*words)
        assert out.startswith(f"{count - there} of {count} recordings, {there} were there\n"), out
        assert {name: turns.files()[name] for name in after} == after
    else:
        out, err = running.communicate(timeout=2 * workers.PATIENCE_S)
        code = running.returncode
    assert code == 0, err
    print(f"{cluster.engine}: killed after {len(begun)} of {count // size} parts; {out}")
    rows = turns.rows()
    assert once(rows) and len({row["recording"] for row in rows}) == count
    assert len(rows) == count * len(commands_result(*FAST))


def test_the_rest_is_done(cluster: Cluster, meetings: Folder, turns: Folder) -> None:
    for number in range(6):
        meetings.put(f"{number}.flac", RECORDING.read_bytes())
    words = (meetings.address, turns.address, "--part-size", "2", *FAST)
    code, _, err = cluster.run(*words)
    whole = turns.files()
    assert (code, len(whole)) == (0, 3), err
    lost = sorted(whole)[1]
    turns.store.delete_file(f"{turns.path}/{lost}")
    code, out, err = cluster.run(*words)
    assert code == 0 and out.startswith("2 of 6 recordings, 4 were there\n"), out + err
    # What is done anew is the same to the byte, and the rest was let alone.
    assert turns.files() == whole
    code, out, err = cluster.run(*words)
    assert (code, out) == (0, "0 of 6 recordings, 6 were there\n"), err


def test_why_there_is_no_diarizer(cluster: Cluster, meetings: Folder, turns: Folder) -> None:
    """The last line says it; Spark and Beam log what their workers raised before that."""
    meetings.put("a.flac", RECORDING.read_bytes())
    code, _, err = cluster.run(meetings.address, turns.address, "--models", "nowhere")
    *before, last = err.splitlines()
    assert code == 1 and last.startswith("voiceflow_batch: no diarizer can be made: bundle nowhere: "), err
    assert cluster.engine in ("spark", "beam") or "Traceback" not in err, before
