"""A server for all tests of a session: VOICEFLOW_SERVER names the program."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PATIENCE_S = 300
# Keys of every server but those that say otherwise. Whatever else the machine does, nobody waits
# long for a recording, and no client is too slow.
PATIENT = (
    "log.level=error",
    "batch.niceness=0",
    "limits.upload_grace_s=600",
    "listen.header_timeout_s=600",
    "listen.write_timeout_s=600",
    "live.behind_s=600",
    "live.first_message_s=600",
    "live.idle_s=600",
    "live.ping_s=600",
    "live.pong_s=600",
    "tls.handshake_timeout_s=600",
)
# The same for clients by websockets.
PATIENTLY = {"open_timeout": PATIENCE_S, "ping_interval": None}
KEY = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"


@pytest.fixture(scope="session")
def recording() -> Path:
    return ROOT / "examples/data/conversation.flac"


@dataclass
class Server:
    """A server, and host and port of its two addresses."""

    address: str
    admin: str
    process: subprocess.Popen[str]


@contextmanager
def running(*keys: str, config: Path | None = None) -> Iterator[Server]:
    """A server with these keys of its configuration, over a file, once it is ready."""
    program = os.environ.get("VOICEFLOW_SERVER", ROOT / "target/debug/voiceflow-server")
    arguments = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    for key in (*PATIENT, *keys):
        arguments += ["--set", key]
    arguments += ["--config", str(config)] if config else []
    with subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True) as server:
        found, admin = (server.stdout.readline().strip().partition("://")[2] for _ in range(2))
        began = time.monotonic()
        admin = admin.removesuffix("/metrics")
        while not ready(admin):
            assert time.monotonic() - began < PATIENCE_S, "the server does not become ready"
            time.sleep(0.05)
        try:
            yield Server(found, admin, server)
        finally:
            server.kill()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a server that is ready, and keeps voices."""
    voices = tmp_path_factory.mktemp("voices")
    with running("live.capacity=4", f"voices.folder={voices}") as server:
        yield server.address


def ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/ready") as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, and a server and a client that it has signed for."""
    folder = tmp_path_factory.mktemp("certificates")
    commands = [f"req -x509 {KEY} -subj /CN=ca -days 2 -keyout ca.key -out ca.pem"]
    for name, alternative in (("server", "IP:127.0.0.1"), ("client", "DNS:acme.example")):
        commands += [
            f"req -new {KEY} -subj /CN={name} -addext subjectAltName={alternative}"
            f" -keyout {name}.key -out {name}.csr",
            f"x509 -req -days 2 -copy_extensions copy -CA ca.pem -CAkey ca.key -CAcreateserial"
            f" -in {name}.csr -out {name}.pem",
        ]
    for command in commands:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder
