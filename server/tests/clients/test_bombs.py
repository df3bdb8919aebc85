"""Small files that decode to very much audio: what they cost is bounded by how long a recording may
be, and not by how long they are."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from conftest import running
from test_crowds import metric

LIMIT_S = 20
MINUTES = 15
BOMBS = {
    "bomb.flac": [],
    "bomb.opus": ["-c:a", "libopus", "-b:a", "6000"],
    "bomb.mp3": ["-b:a", "8k"],
}


def make(path: Path, options: list[str]) -> None:
    """Minutes of silence, which every codec makes little of."""
    source = f"anullsrc=r=16000:cl=mono:d={60 * MINUTES}"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", source, *options, path]
    subprocess.run(command, check=True)


def test_files_that_decode_to_very_much_are_given_up_early(tmp_path: Path) -> None:
    with running("live.capacity=1", f"limits.audio_s={LIMIT_S}") as server:
        for name, options in BOMBS.items():
            make(tmp_path / name, options)
            body = (tmp_path / name).read_bytes()
            assert len(body) < 1e6, f"{name}: {len(body)} bytes"
            request = urllib.request.Request(f"http://{server.address}/v1/diarizations", data=body)
            request.add_header("Content-Type", "application/octet-stream")
            before, began = metric(server, "process_cpu_seconds_total"), time.monotonic()
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            cpu_s = metric(server, "process_cpu_seconds_total") - before
            print(f"{name}: {len(body)} bytes, {time.monotonic() - began:.1f} s, CPU {cpu_s:.1f} s")
            error = json.load(refused.value)["error"]
            assert (refused.value.code, error["code"]) == (413, "VF_E_LIMIT"), f"{name}: {error}"
            # What a recording of the limit costs, and nothing of the rest.
            assert cpu_s < 5, f"{name}: {cpu_s} s"
        assert metric(server, "process_resident_memory_bytes") < 400e6
