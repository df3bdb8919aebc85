"""Clusters of two workers with one processor each, and stores, all on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from workers import PATIENCE_S, ROOT

STORES = ROOT / ".cache/registry/bin"
HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(what: str, url: str) -> None:
    began = time.monotonic()
    while True:
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            assert time.monotonic() - began < PATIENCE_S, what
            time.sleep(0.1)


@dataclass
class Cluster:
    """How a job is started on an engine."""

    engine: str
    words: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """The command, started as users start it."""
        command = [
            sys.executable,
            "-m",
            "voiceflow_batch",
            "--engine",
            self.engine,
            *words,
            "--",
            *self.words,
        ]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env={**os.environ, **self.environment}, text=True, **pipes)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, output and errors of the command."""
        running = self.begin(*words)
        out, err = running.communicate(timeout=2 * PATIENCE_S)
        return running.returncode, out, err


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """Of moto, found by the variables that clients of S3 know."""
    endpoint = f"http://{HOST}:{(port := free_port())}"
    moto = subprocess.Popen([STORES / "moto_server", "-H", HOST, "-p", str(port)], stderr=subprocess.DEVNULL)
    os.environ |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    try:
        wait_for("moto listens", f"{endpoint}/moto-api/")
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/speech", method="PUT")).close()
        yield "s3://speech"
    finally:
        moto.kill()
        moto.wait()


@pytest.fixture(scope="session")
def ray_cluster(bucket: str) -> Iterator[Cluster]:
    """A head without processors, and two nodes."""
    # Otherwise its workers give way to whatever else the machine does.
    os.environ.update(RAY_worker_niceness="0")
    import ray.cluster_utils

    cluster = ray.cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield Cluster("ray", environment={"RAY_ADDRESS": cluster.address})
    cluster.shutdown()


@pytest.fixture(scope="session")
def spark_cluster(bucket: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Spark's own master and two workers."""
    import pyspark

    home, scratch = Path(pyspark.__file__).parent, tmp_path_factory.mktemp("spark")
    port, web = free_port(), free_port()
    own = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": HOST, "PYSPARK_PYTHON": sys.executable}
    environment = {**os.environ, **own, "SPARK_WORKER_DIR": str(scratch), "SPARK_LOCAL_DIRS": str(scratch)}

    def start(name: str, *words: str) -> subprocess.Popen[bytes]:
        command = [home / "bin/spark-class", f"org.apache.spark.deploy.{name}", "--host", HOST, *words]
        with open(scratch / f"{name}.log", "ab") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    master = f"spark://{HOST}:{port}"
    running = [start("master.Master", "--port", str(port), "--webui-port", str(web))]
    try:
        wait_for("Spark's master listens", f"http://{HOST}:{web}/json/")
        for _ in range(2):
            running.append(
                start("worker.Worker", "--cores", "1", "--memory", "1g", "--webui-port", "0", master)
            )
        settings = [f"spark.master={master}", f"spark.driver.host={HOST}", "spark.ui.enabled=false"]
        settings += [
            "spark.executor.memory=512m",
            "spark.executor.cores=1",
            "spark.ui.showConsoleProgress=false",
        ]
        yield Cluster("spark", settings, own)
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def beam_cluster(bucket: str) -> Cluster:
    """Beam's own runner, with two processes."""
    words = ["--runner=DirectRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    return Cluster("beam", words)


@pytest.fixture(scope="session")
def local_cluster(bucket: str) -> Cluster:
    """Two processes."""
    return Cluster("local")


@pytest.fixture(params=["local", "ray", "spark", "beam"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Each of them."""
    found: Cluster = request.getfixturevalue(f"{request.param}_cluster")
    return found
