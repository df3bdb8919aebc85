#!/usr/bin/env python3
"""Measures how long models take into a registry and out of it, as docs/PERFORMANCE.md has it.

    make measure-registry
    scripts/measure_registry.py --rounds 11 --program target/debug/voiceflow-models

The registries are a folder and moto, an S3 on this machine. `accurate` is published with a report
of its DER on the recording that ships with the project, which `voiceflow` scores here.
"""

import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
RECORDING = ROOT / "examples/data/conversation.flac"
PATIENCE_S = 60
BUNDLES = {"fast-cnn": ROOT / "models/fast-cnn/1.0.1", "accurate": ROOT / ".models/accurate"}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@contextmanager
def s3() -> Iterator[str]:
    """The address of an S3 with a bucket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = [ROOT / ".cache/registry/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(f"{url}/bucket", method="PUT"))
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait()


def with_report(bundle: Path, folder: Path, voiceflow: Path) -> Path:
    """A copy of a bundle with a report of what is measured here, if it has none."""
    copy = folder / bundle.name
    shutil.copytree(bundle, copy)
    if (copy / "validation_report.json").exists():
        return copy
    found = folder / "conversation.rttm"
    command = [voiceflow, "diarize", "--models", copy, RECORDING, "--format", "rttm", "--output", found]
    subprocess.run(command, check=True)
    command = [voiceflow, "score", "--format", "json", RECORDING.with_suffix(".rttm"), found]
    scored = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    metadata = json.loads((copy / "metadata.json").read_text())
    files = {name: metadata[name]["sha256"] for name in ("segmentation.onnx", "embedding.onnx")}
    evaluation = {
        "format": "voiceflow.evaluation",
        "version": 1,
        "model": {"name": metadata["name"], "version": metadata["version"], "files": files},
        "diarization": {"conversation": {"overall": {"der": scored["overall"]["der"]}}},
    }
    (copy / "validation_report.json").write_text(json.dumps({"evaluation": evaluation}, indent=2) + "\n")
    return copy


class Runs:
    """The program with one registry and a key of its own."""

    def __init__(self, program: Path, folder: Path, variables: dict[str, str]) -> None:
        self.program = program
        self.folder = folder
        key, public = folder / "secret.key", folder / "public.key"
        if not key.exists():
            subprocess.run(
                ["minisign", "-G", "-W", "-p", public, "-s", key], check=True, stdout=subprocess.DEVNULL
            )
        keys = {"VOICEFLOW_TRUSTED_KEYS": str(public), "VOICEFLOW_SIGNING_KEY": str(key)}
        self.variables = os.environ | variables | keys

    def time(self, url: str, cache: str, *arguments: str | Path) -> tuple[float, float]:
        """Seconds that a command takes, and those of CPU."""
        own = {"VOICEFLOW_REGISTRY": url, "VOICEFLOW_MODELS_CACHE": str(self.folder / cache)}
        began = time.perf_counter()
        command = [self.program, *arguments]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=self.variables | own)
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(runs: Runs, root: str, bundle: Path, rounds: int) -> dict[str, tuple[float, ...]]:
    """Medians of each step, in seconds and in seconds of CPU."""
    metadata = json.loads((bundle / "metadata.json").read_text())
    version = f"{metadata['name']}@{metadata['version']}"
    times: dict[str, list[tuple[float, float]]] = {}

    def run(step: str, url: str, cache: str, *arguments: str | Path) -> None:
        times.setdefault(step, []).append(runs.time(url, cache, *arguments))

    for number in range(rounds):
        url, cache = f"{root}/{metadata['name']}-{number}", f"cache-{metadata['name']}-{number}"
        run("publish", url, cache, "publish", bundle)
        run("publish again", url, cache, "publish", bundle)
        run("promote", url, cache, "promote", version, "stable")
        run("pull", url, cache, "pull", metadata["name"])
        run("pull, in the cache", url, cache, "pull", metadata["name"])
        shutil.rmtree(runs.folder / cache)
    return {step: tuple(map(statistics.median, zip(*found, strict=True))) for step, found in times.items()}


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/voiceflow-models")
    parser.add_argument("--voiceflow", type=Path, default=ROOT / "target/release/voiceflow")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, s3() as endpoint:
        folder = Path(name)
        roots = {
            "a folder": (str(folder / "registry"), {}),
            "moto": ("s3://bucket", CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint}),
        }
        rows: dict[str, list[str]] = {}
        heads = []
        for model, bundle in BUNDLES.items():
            copy = with_report(bundle, folder, options.voiceflow)
            for store, (root, variables) in roots.items():
                runs = Runs(options.program, folder, variables)
                heads.append(f"{model}, {store}")
                for step, (seconds, cpu) in measure(runs, root, copy, options.rounds).items():
                    rows.setdefault(step, []).append(f"{seconds:.2f}, {cpu:.2f}")
    print(f"| command | {' | '.join(heads)} |")
    print(f"| -- |{' -: |' * len(heads)}")
    for step, cells in rows.items():
        print(f"| {step} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
