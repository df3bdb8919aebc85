"""`voiceflow bench --server` against a server: all that is offered is served or refused, and what
is served is answered to the end."""

import json
import os
import subprocess
from pathlib import Path

from conftest import ROOT, running

PROGRAM = os.environ.get("VOICEFLOW", ROOT / "target/debug/voiceflow")
CAPACITY = 6


def bench(url: str, recording: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "bench", "--server", url, *more, str(recording)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def spread(found: dict) -> None:
    figures = [found[key] for key in ("p50_ms", "p95_ms", "p99_ms", "max_ms")]
    assert figures == sorted(figures) and figures[0] > 0, found


def test_streams_and_recordings_are_measured(certificates: Path, recording: Path) -> None:
    files = {"certificate": "server.pem", "key": "server.key"}
    keys = [f"tls.{key}={certificates / name}" for key, name in files.items()]
    with running(f"live.capacity={CAPACITY}", *keys) as server:
        more = ["--ca", str(certificates / "ca.pem"), "--streams", f"2,{CAPACITY + 3}", "--seconds", "1"]
        done = bench(f"wss://{server.address}", recording, *more, "--recordings", "1", "--json")
        assert done.returncode == 0, done.stderr
        few, many = json.loads(done.stdout)["load"]
        assert (few["served"], few["refused"], few["cut"]) == (2, 0, 0)
        assert few["recordings"]["answered"] > 0 and few["recordings"]["failed"] == 0
        # All end at once, beside a recording: none may wait for the others.
        assert (many["served"], many["refused"], many["cut"]) == (CAPACITY, 3, 0)
        for load in few, many:
            assert load["chunks"] == load["served"] * 10
            for found in load, load["segments"], load["sent"], load["recordings"]:
                spread(found)
        spread(many["refusal"])
        assert few["refusal"] is None

        untrusted = bench(f"wss://{server.address}", recording, "--streams", "1")
        assert untrusted.returncode == 1 and "UnknownIssuer" in untrusted.stderr, untrusted.stderr


def test_text_has_the_same(address: str, recording: Path) -> None:
    done = bench(f"ws://{address}", recording, "--streams", "1", "--seconds", "1", "--sla-p99", "0.000001")
    assert done.returncode == 1 and "(1 stream)" in done.stderr, done.stderr
    assert "streams  served  refused  cut  chunks  P50 ms" in done.stdout, done.stdout
