"""A server for all tests of a session: VOICEFLOW_SERVER names the program."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PATIENCE_S = 120


@pytest.fixture(scope="session")
def recording() -> Path:
    return ROOT / "examples/data/conversation.flac"


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Host and port of a server that is ready."""
    program = os.environ.get("VOICEFLOW_SERVER", ROOT / "target/debug/voiceflow-server")
    arguments = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--set", "log.level=error"]
    arguments += ["--set", "live.capacity=4"]
    with subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True) as server:
        found = server.stdout.readline().strip().removeprefix("listening on http://")
        began = time.monotonic()
        while not ready(found):
            assert time.monotonic() - began < PATIENCE_S, "the server does not become ready"
            time.sleep(0.05)
        yield found
        server.kill()


def ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/ready") as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False
