"""A diarizer of a program in Python that follows a channel of a registry, in a folder and on S3
(moto), with real signatures: what is promoted is taken, what is a lie or does not answer is told,
and what runs goes on."""

import os
import sys
import time
from pathlib import Path

import pytest
from registries import (
    PROGRAMS,
    RECORDING,
    ROOT,
    Bucket,
    Folder,
    Store,
    models,
    publish,
    publisher,
    tiny,
    wait_until,
)

sys.path.append(str(ROOT / "bindings/python/src"))
os.environ.setdefault("VOICEFLOW_LIBRARY", str(PROGRAMS / "libvoiceflow.so"))
from libvoiceflow import Diarizer, ModelInfo, RegistryError  # noqa: E402

FIRST = ROOT / "tests/data/models/good.onnx"
INTERVAL_S = 0.2


class Follower:
    """A diarizer that follows tiny@stable, and what its watch tells."""

    def __init__(self, store: Store) -> None:
        self.reloads: list[str] = []
        self.errors: list[Exception] = []
        self.diarizer = Diarizer(model_path=FIRST, threads=1)
        self.watch = self.diarizer.watch(
            store.url,
            "tiny@stable",
            interval_s=INTERVAL_S,
            command=PROGRAMS / "voiceflow-models",
            on_reload=self.reloaded,
            on_error=self.errors.append,
            threads=1,
        )

    def reloaded(self, info: ModelInfo) -> None:
        self.reloads.append(f"{info.name} {info.version}")

    def takes(self, version: str) -> None:
        """Waits for a version, which has to be there alone."""
        wait_until(version, lambda: bool(self.reloads) and self.reloads[-1] == f"tiny {version}")
        assert self.diarizer.info.version == version
        wait_until("it is alone", lambda: [it.version for it in self.diarizer.versions()] == [version])

    def is_told(self, text: str) -> None:
        """Waits for an error with this text; what runs goes on, and so does the watch."""
        before, version = len(self.reloads), self.diarizer.info.version
        self.errors.clear()
        wait_until(text, lambda: sum(text in str(error) for error in self.errors) > 1)
        assert all(isinstance(error, RegistryError) for error in self.errors)
        self.diarizer.process(RECORDING)
        assert (len(self.reloads), self.diarizer.info.version) == (before, version)

    def close(self) -> None:
        self.watch.close()
        self.diarizer.close()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A registry with nothing in it."""
    if request.param == "folder":
        return Folder(tmp_path / "registry")
    bucket: Bucket = request.getfixturevalue("bucket")
    return bucket


def test_a_diarizer_follows_its_channel_and_no_lie(
    store: Store, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = publisher(store, tmp_path)
    reader = {"VOICEFLOW_TRUSTED_KEYS": environment["VOICEFLOW_TRUSTED_KEYS"]}
    reader |= {"VOICEFLOW_MODELS_CACHE": str(tmp_path / "cache"), **store.variables}
    for name, value in reader.items():
        monkeypatch.setenv(name, value)
    publish(tiny(tmp_path, "1.0.0"), recordings, environment)
    follower = Follower(store)
    try:
        follower.takes("1.0.0")
        publish(tiny(tmp_path, "1.1.0"), recordings, environment)
        follower.takes("1.1.0")

        # Bytes that nobody signed, in a version that somebody with the key promotes.
        publish(tiny(tmp_path, "1.2.0"), recordings, environment, "canary")
        model = store.read("tiny/1.2.0/model.onnx")
        store.write("tiny/1.2.0/model.onnx", model[:-1] + b"?")
        models(environment, "promote", "tiny@1.2.0", "stable")
        follower.is_told("tiny/1.2.0/model.onnx: not trusted")
        store.write("tiny/1.2.0/model.onnx", model)
        follower.takes("1.2.0")

        # A channel that somebody without the key has moved.
        channel = store.read("tiny/channels/stable.json")
        store.write("tiny/channels/stable.json", channel.replace(b"1.2.0", b"1.1.0"))
        follower.is_told("tiny/channels/stable.json: not trusted")
        store.write("tiny/channels/stable.json", channel)
        models(environment, "rollback", "tiny@stable")
        follower.takes("1.1.0")

        store.silence()
        follower.is_told("tiny/channels/stable.json: ")
        follower.watch.close()
        assert follower.watch.closed
        told = len(follower.errors)
        time.sleep(5 * INTERVAL_S)
        assert len(follower.errors) == told
        follower.diarizer.process(RECORDING)
    finally:
        follower.close()
