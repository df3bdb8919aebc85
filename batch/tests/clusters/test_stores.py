"""What the stores do that can go wrong, with workers of this machine."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Iterator

import pyarrow.parquet as pq
import pytest
from conftest import HOST, STORES, Cluster, free_port, wait_for
from pyarrow import fs
from workers import RECORDING

FAST = ("--models", "fast-cnn")


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store of Google Cloud with a bucket."""
    address = f"{HOST}:{(port := free_port())}"
    command = [STORES / "fake-gcs-server", "-scheme", "http", "-host", HOST, "-port", str(port)]
    command += ["-backend", "memory", "-public-host", address, "-log-level", "error"]
    server = subprocess.Popen(command)
    try:
        wait_for("fake-gcs-server listens", f"http://{address}/storage/v1/b?project=p")
        request = urllib.request.Request(
            f"http://{address}/storage/v1/b?project=p", data=b'{"name": "speech"}'
        )
        request.add_header("Content-Type", "application/json")
        urllib.request.urlopen(request).close()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{address}")
        yield address
    finally:
        server.kill()
        server.wait()


def test_google_cloud(emulator: str, local_cluster: Cluster) -> None:
    store = fs.GcsFileSystem(anonymous=True, scheme="http", endpoint_override=emulator)
    for name in ("a.flac", "deeper/b.flac"):
        with store.open_output_stream(f"speech/meetings/{name}") as stream:
            stream.write(RECORDING.read_bytes())
    words = ("gs://speech/meetings", "gs://speech/turns", *FAST)
    code, out, err = local_cluster.run(*words)
    assert code == 0 and out.startswith("2 of 2 recordings, 0 were there\n"), out + err
    rows = pq.read_table("speech/turns", filesystem=store).to_pylist()
    assert {row["recording"] for row in rows} == {
        "gs://speech/meetings/a.flac",
        "gs://speech/meetings/deeper/b.flac",
    }
    code, out, err = local_cluster.run(*words)
    assert (code, out) == (0, "0 of 2 recordings, 2 were there\n"), err


def test_what_is_not_there(local_cluster: Cluster) -> None:
    code, _, err = local_cluster.run("s3://nowhere/meetings", "s3://speech/turns")
    assert code == 1 and "nowhere" in err and "Traceback" not in err, err


def test_a_table_that_cannot_be_written(local_cluster: Cluster, bucket: str) -> None:
    store = fs.S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"], region="us-east-1")
    with store.open_output_stream("speech/one/a.flac") as stream:
        stream.write(RECORDING.read_bytes())
    code, _, err = local_cluster.run(f"{bucket}/one", "s3://nowhere/turns", *FAST)
    assert code == 1 and "Traceback" not in err and "nowhere" in err, err
