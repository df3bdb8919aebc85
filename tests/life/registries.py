"""Registries of these tests, in folders and on S3 (moto), and models that go into them as an export
leaves them: the tiny ones of models/diarization/tests, made without PyTorch."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT / "models/diarization"), str(ROOT / "models/diarization/tests")]
from tiny_model import write_tiny_model  # noqa: E402
from voiceflow_models.export.golden import write_golden  # noqa: E402

PROGRAMS = Path(os.environ.get("VOICEFLOW_PROGRAMS", ROOT / "target/debug"))
MOTO = ROOT / ".cache/registry/bin/moto_server"
RECORDING = ROOT / "examples/data/conversation.flac"
PATIENCE_S = 300
# Most that are tried for a server.
PORTS = 10


def wait_until(what: str, holds: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_S, what
        time.sleep(0.2)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url):
            return True
    except OSError:
        return False


class Store(Protocol):
    """Where a registry lies: whoever writes there can let it lie."""

    url: str
    variables: dict[str, str]

    def read(self, key: str) -> bytes: ...

    def write(self, key: str, contents: bytes) -> None: ...

    def silence(self) -> None:
        """From here on it does not answer."""


class Folder:
    """A registry in a folder."""

    def __init__(self, path: Path) -> None:
        self.path, self.url, self.variables = path, str(path), {}

    def read(self, key: str) -> bytes:
        return (self.path / key).read_bytes()

    def write(self, key: str, contents: bytes) -> None:
        (self.path / key).write_bytes(contents)

    def silence(self) -> None:
        self.path.rename(self.path.with_name("gone"))


class Bucket:
    """A registry in a bucket of a moto of its own."""

    url = "s3://models/voiceflow"

    def __init__(self) -> None:
        assert any(self.begins() for _ in range(PORTS)), f"moto ended at each of {PORTS} ports"
        self.variables = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }

    def begins(self) -> bool:
        """Starts moto on a port that is free, and waits until it listens; false where it ends, as
        another program has taken the port meanwhile."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        command = [MOTO, "-H", "127.0.0.1", "-p", str(port)]
        self.moto = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        url = f"{self.endpoint}/moto-api/"
        try:
            wait_until("moto listens", lambda: self.moto.poll() is not None or answers(url))
        except AssertionError:
            self.silence()
            raise
        return self.moto.poll() is None

    def make(self) -> None:
        self.request("PUT", "models")

    def read(self, key: str) -> bytes:
        return self.request("GET", f"models/voiceflow/{key}")

    def write(self, key: str, contents: bytes) -> None:
        self.request("PUT", f"models/voiceflow/{key}", contents)

    def request(self, method: str, path: str, contents: bytes | None = None) -> bytes:
        request = urllib.request.Request(f"{self.endpoint}/{path}", data=contents, method=method)
        # moto wants to know who asks, and believes it.
        scope = "Credential=test/20260101/us-east-1/s3/aws4_request"
        authorization = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
        request.add_header("Authorization", authorization)
        # Without that, urllib calls it a form, and moto takes it for one.
        request.add_header("Content-Type", "application/octet-stream")
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def silence(self) -> None:
        self.moto.kill()
        self.moto.wait()


def signing(folder: Path) -> dict[str, str]:
    """Variables of a publisher with a key of its own."""
    public, secret = folder / "public.key", folder / "secret.key"
    command = ["minisign", "-G", "-W", "-p", public, "-s", secret]
    subprocess.run(command, check=True, capture_output=True)
    cache = {"VOICEFLOW_MODELS_CACHE": str(folder / "publisher")}
    return cache | {
        "VOICEFLOW_TRUSTED_KEYS": public.read_text().splitlines()[1],
        "VOICEFLOW_SIGNING_KEY": str(secret),
    }


def publisher(store: Store, folder: Path) -> dict[str, str]:
    """The environment of somebody who publishes to a store, with what they keep in a folder."""
    return {**os.environ, **store.variables, **signing(folder), "VOICEFLOW_REGISTRY": store.url}


def tiny(folder: Path, version: str) -> Path:
    """A model folder as an export leaves it."""
    folder = folder / version
    folder.mkdir()
    write_tiny_model(folder / "model.onnx", {"version": version})
    write_golden(folder / "model.onnx", folder / "golden.json")
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    metadata = {"name": "tiny", "version": version, "sha256": sha256}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    return folder


def publishing(
    folder: Path, more: list[str | Path], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "models/diarization/publish.py", folder, *more]
    command += ["--voiceflow", PROGRAMS / "voiceflow", "--publisher", PROGRAMS / "voiceflow-models"]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def publish(folder: Path, recordings: Path, environment: dict[str, str], channel: str = "stable") -> None:
    done = publishing(folder, ["--recordings", recordings, "--channel", channel], environment)
    assert done.returncode == 0, done.stdout + done.stderr


def models(environment: dict[str, str], *command: str) -> None:
    """Runs a command of voiceflow-models, which has to succeed."""
    done = subprocess.run([PROGRAMS / "voiceflow-models", *command], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
