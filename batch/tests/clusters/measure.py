"""Throughput of each engine with two workers, beside one process: `make measure-batch`.

On a machine of two processors, driver, store and cluster take theirs from the same two. What two
processes without any engine reach together is the most that an engine can.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Cluster
from workers import RECORDING

RECORDINGS = int(os.environ.get("VOICEFLOW_MEASURED", "64"))
# The recording so often after itself: 6 minutes.
TIMES = 7
PART = 2
# In place of an engine: the parts one after another, timed once the model is loaded.
PLAIN = """
import sys, time
from voiceflow_batch import Job, _recordings, _table, _work
source, table, share, of = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
job = Job(table)
parts = _table.parts_of(_recordings.find(source).addresses, {part})[share::of]
_work._diarizer(job.options)
print("ready", flush=True)
sys.stdin.readline()
began = time.monotonic()
audio = sum(_work.do_part(part, job).audio_s for part in parts)
print(audio, time.monotonic() - began)
""".replace("{part}", str(PART))


@pytest.fixture(scope="session")
def meetings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("meetings")
    first = place / "000.flac"
    again = [*(["-stream_loop", str(TIMES - 1)]), "-i", str(RECORDING), "-ac", "1", str(first)]
    subprocess.run(["ffmpeg", "-v", "error", *again], check=True)
    for number in range(1, RECORDINGS):
        os.link(first, place / f"{number:03}.flac")
    yield place


def plain(meetings: Path, table: Path, processes: int) -> float:
    """Seconds of audio a second, of so many processes that share the parts."""
    command = [sys.executable, "-c", PLAIN, str(meetings), str(table)]
    running = [
        subprocess.Popen(
            [*command, str(share), str(processes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for share in range(processes)
    ]
    for one in running:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate()[0].split() for one in running]
    return sum(float(audio) for audio, _ in said) / max(float(took) for _, took in said)


@pytest.fixture(scope="session")
def one_process(meetings: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    speed = plain(meetings, tmp_path_factory.mktemp("one"), 1)
    both = plain(meetings, tmp_path_factory.mktemp("two"), 2)
    hours = RECORDINGS * TIMES * 52.5 / 3600
    print(f"\n{RECORDINGS} recordings of 6 min, {hours:.1f} h; load {os.getloadavg()[0]:.1f}")
    print(f"one process            {speed:6.0f} times real time")
    print(f"two without an engine  {both:6.0f}: {both / speed / 2:.2f} of twice as much")
    return speed


def test_throughput(cluster: Cluster, one_process: float, meetings: Path, tmp_path: Path) -> None:
    table = tmp_path / "turns"
    began = time.time()
    code, out, err = cluster.run(str(meetings), str(table), "--part-size", str(PART))
    took = time.time() - began
    assert code == 0, err
    ends = sorted(path.stat().st_mtime for path in table.iterdir())
    each = RECORDINGS * TIMES * 52.5 / len(ends)
    # From when both workers have done a part, so without the start of the engine and of the model.
    steady = (len(ends) - 2) * each / (ends[-1] - ends[1])
    whole = len(ends) * each / took
    print(
        f"\n{cluster.engine:6} steady {steady:6.0f}: {steady / one_process / 2:.2f} a worker; whole command "
        f"{whole:6.0f}: {whole / one_process / 2:.2f} a worker, first part after {ends[0] - began:.1f} s, "
        f"{took:.1f} s; load {os.getloadavg()[0]:.1f}"
    )
