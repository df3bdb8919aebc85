"""The image of the server, built by its Dockerfile, and the stack of compose, run: by buildah and
podman, as root. Grafana's image cannot be had here: what it would show is asked of Prometheus."""

import asyncio
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import engine
import pytest
import websockets
import yaml
from engine import IMAGE, PROMETHEUS, ROOT, run

sys.path[:0] = [str(ROOT / "server/tests/clients"), str(ROOT / "scripts")]

import conftest as clients  # noqa: E402
import smoke as smoking  # noqa: E402

certificates = clients.certificates  # a fixture
COMPOSE = ROOT / "deploy/compose/docker-compose.yml"


def free_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return "{}:{}".format(*listener.getsockname())


SERVER, ASKED = free_address(), free_address()
PORTS = {"VOICEFLOW_PORT": SERVER.split(":")[1], "PROMETHEUS_PORT": ASKED.split(":")[1]}
PATIENCE_S = 180
LARGEST_MB = 260
# Of what each test starts on top of the image: everybody may ask.
OPEN = ("--env", "VOICEFLOW_SERVER_LISTEN__INSECURE=true")
CONFINED = ("--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges")


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    engine.build()


def inspect(what: str, name: str) -> dict:
    return json.loads(run("podman", what, "inspect", name))[0]


def until(condition: object, what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S} s"
        time.sleep(0.5)


def test_the_image_says_what_it_is() -> None:
    found = inspect("image", IMAGE)
    config = found["Config"]
    assert config["User"] == "10001:10001" and config["StopSignal"] == "SIGTERM"
    assert config["Entrypoint"] == ["voiceflow-server"]
    assert set(config["ExposedPorts"]) == {"8080/tcp", "9464/tcp"}
    assert config["Labels"]["org.opencontainers.image.licenses"] == "MIT OR Apache-2.0"
    assert config["Labels"]["org.opencontainers.image.revision"] == "test"
    assert found["Healthcheck"]["Test"] == ["CMD", "voiceflow-server", "--health"]
    base = inspect("image", engine.DEBIAN)["Size"] / 1e6
    size = found["Size"] / 1e6
    print(f"\n{IMAGE}: {size:.0f} MB, {size - base:.0f} MB of them over the base's {base:.0f} MB")
    assert size < LARGEST_MB


def test_the_image_has_licences_and_a_bill_of_materials() -> None:
    shell = ("podman", "run", "--rm", "--entrypoint", "/bin/sh", IMAGE, "-c")
    listed = run(*shell, "cd /opt/voiceflow && find . -type f -printf '%p %m %u\\n'").splitlines()
    names = {line.split()[0] for line in listed}
    for name in (
        "./share/licenses/libvoiceflow/LICENSE-MIT",
        "./share/licenses/libvoiceflow/LICENSE-APACHE",
        "./share/licenses/libvoiceflow/THIRD-PARTY-NOTICES.txt",
        "./share/licenses/accurate/LICENSE.embedding",
        "./share/licenses/accurate/LICENSE.segmentation",
        "./share/licenses/onnxruntime/LICENSE",
        "./share/licenses/onnxruntime/ThirdPartyNotices.txt",
    ):
        assert name in names
    # Nothing of it is the server's own to change.
    assert all(line.split()[2] == "root" and int(line.split()[1], 8) & 0o022 == 0 for line in listed)
    bill = json.loads(run(*shell, "cat /opt/voiceflow/share/sbom/libvoiceflow-server.cdx.json"))
    components = {component["name"] for component in bill["components"]}
    assert bill["specVersion"] == "1.5" and {"onnxruntime", "axum", "rustls", "symphonia"} <= components
    assert len(components) > 100 and str(ROOT) not in json.dumps(bill)


def test_it_is_not_started_for_everybody_by_itself() -> None:
    command = ("podman", "run", "--rm", *CONFINED, IMAGE)
    done = subprocess.run(command, env=engine.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "--insecure-listen" in done.stderr, done.stderr


@pytest.fixture
def container() -> Iterator[str]:
    """One that runs confined, with the health check of the image."""
    name = "voiceflow-test"
    published = f"--publish={SERVER}:8080"
    run("podman", "run", "--detach", "--name", name, *CONFINED, *OPEN, published, "--stop-timeout=100", IMAGE)
    try:
        until(lambda: answers("/ready"), "ready")
        yield name
    finally:
        run("podman", "rm", "--force", "--time=1", name)


def answers(path: str, address: str = SERVER) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_it_runs_as_nobody_and_writes_nothing_but_uploads(container: str) -> None:
    status = run("podman", "exec", container, "cat", "/proc/1/status")
    assert re.search(r"Uid:\s+10001\s+10001", status) and re.search(r"CapEff:\s+0+\n", status)
    assert re.search(r"NoNewPrivs:\s+1", status)
    for folder, writable in (("/tmp", False), ("/opt/voiceflow", False), ("/var/spool/voiceflow", True)):
        command = ["podman", "exec", container, "touch", f"{folder}/x"]
        done = subprocess.run(command, env=engine.environment(), capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == writable, f"{folder}: {done.stderr}"
    run("podman", "healthcheck", "run", container)
    # An upload larger than what is kept in memory goes to the spool.
    smoke(f"http://{SERVER}")
    with urllib.request.urlopen(f"http://{SERVER}/v1/models", timeout=10) as answer:
        models = {model["name"]: model["default_for"] for model in json.load(answer)["data"]}
    assert models == {"accurate": ["recordings"], "fast-cnn": ["streams"]}


def smoke(url: str, *more: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/smoke.py", url, *more], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"\n{done.stdout.strip()}")


def test_a_stop_drains(container: str) -> None:
    began = time.monotonic()
    run("podman", "stop", "--time=100", container)
    took = time.monotonic() - began
    state = inspect("container", container)["State"]
    # The delay in which balancers learn of it, and not the end of Docker's patience.
    assert state["ExitCode"] == 0 and 4.5 < took < 60, f"{state['ExitCode']} after {took:.1f} s"
    logs = subprocess.run(
        ["podman", "logs", container], env=engine.environment(), capture_output=True, text=True, check=True
    )
    assert "draining" in logs.stdout + logs.stderr


def test_the_configuration_of_the_chart_is_one_of_the_server(tmp_path: Path) -> None:
    """What the chart renders is read by the server in the image."""
    from test_charts import EVERYTHING, name, one, rendered

    resources = rendered(EVERYTHING)
    text = one(resources, "ConfigMap", name(resources))["data"]["server.toml"]
    (tmp_path / "server.toml").write_text(text)
    tmp_path.chmod(0o755)
    mount = f"--volume={tmp_path}:/etc/voiceflow/config:ro"
    arguments = ("--config", "/etc/voiceflow/config/server.toml", "--check-config")
    effective = run("podman", "run", "--rm", *CONFINED, mount, IMAGE, *arguments)
    assert "upload_bytes = 536870912" in effective and 'admin = "0.0.0.0:9464"' in effective


class Stack:
    """The stack of compose, less Grafana, with TLS and room for one stream."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self.certificates = certificates
        for path in certificates.iterdir():
            path.chmod(0o644)
        certificates.chmod(0o755)
        keys = {
            "VOICEFLOW_SERVER_LIVE__CAPACITY": "1",
            "VOICEFLOW_SERVER_BATCH__NICENESS": "0",
            "VOICEFLOW_SERVER_TLS__CERTIFICATE": "/certificates/server.pem",
            "VOICEFLOW_SERVER_TLS__KEY": "/certificates/server.key",
        }
        more = {
            "services": {"server": {"environment": keys, "volumes": [f"{certificates}:/certificates:ro"]}}
        }
        self.overlay = folder / "overlay.yml"
        self.overlay.write_text(yaml.safe_dump(more))

    def compose(self, *arguments: str) -> None:
        program = Path(sys.executable).with_name("podman-compose")
        images = {"VOICEFLOW_IMAGE": IMAGE, "PROMETHEUS_IMAGE": PROMETHEUS}
        command = [program, "--file", COMPOSE, "--file", self.overlay, *arguments]
        done = subprocess.run(
            [str(part) for part in command],
            env={**engine.environment(), **images, **PORTS, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Stack]:
    engine.prometheus()
    made = Stack(tmp_path_factory.mktemp("stack"), certificates)
    made.compose("up", "--detach", "--no-build", "server", "prometheus")
    try:
        yield made
    finally:
        made.compose("down", "--volumes")


def server_name() -> str:
    [name] = run("podman", "ps", "--filter", "name=server", "--format", "{{.Names}}").split()
    return name


def queries() -> list[tuple[str, str]]:
    """The queries of the dashboard, each with the title of its panel."""
    panels = json.loads((ROOT / "deploy/grafana/voiceflow.json").read_text())["panels"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]


def result(query: str) -> list[dict]:
    for name, value in {"$instance": ".*", "$__rate_interval": "5m"}.items():
        query = query.replace(name, value)
    url = f"http://{ASKED}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url) as answer:
            found = json.load(answer)["data"]["result"]
    except OSError:  # it starts
        return []
    return [it for it in found if it["value"][1] != "NaN"]


def scraped() -> int:
    counted = result('count_over_time(up{job="voiceflow"}[1h])')
    return int(counted[0]["value"][1]) if counted else 0


def wait_for_scrapes() -> None:
    """For two more: the first one may be under way."""
    first = scraped()
    until(lambda: scraped() >= first + 2, "scraped")


def use_up(trust: Path) -> None:
    """Does what metrics count beside good work: a stream too many, and what is no audio."""
    context = ssl.create_default_context(cafile=str(trust))
    url = f"wss://{SERVER}/v1/audio/diarizations/stream"
    asyncio.run(stream_and_one_too_many(url, context))
    body = urllib.request.Request(f"https://{SERVER}/v1/audio/diarizations", data=b"no audio")
    body.add_header("Content-Type", "audio/flac")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(body, context=context)


async def stream_and_one_too_many(url: str, trust: ssl.SSLContext) -> None:
    async with websockets.connect(url, ssl=trust) as held:
        await held.send(smoking.samples()[: smoking.CHUNK_BYTES])
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(url, ssl=trust)


def test_the_stack_diarizes_and_is_watched(stack: Stack) -> None:
    trust = stack.certificates / "ca.pem"
    # Rates are of what there was at two scrapes: each label must be there before it grows.
    for _ in range(2):
        smoke(f"https://{SERVER}", "--ca", trust, "--wait", str(PATIENCE_S))
        use_up(trust)
        run("podman", "kill", "--signal=HUP", server_name())
        wait_for_scrapes()
    empty = queries()
    assert len(empty) > 20
    end = time.monotonic() + PATIENCE_S
    while empty:
        assert time.monotonic() < end, f"panels without data: {empty}"
        time.sleep(1)
        empty = [(title, query) for title, query in empty if not result(query)]
    [up] = result('up{job="voiceflow"}')
    assert up["value"][1] == "1"


def test_prometheus_has_the_alerts(stack: Stack) -> None:
    with urllib.request.urlopen(f"http://{ASKED}/api/v1/rules") as answer:
        groups = json.load(answer)["data"]["groups"]
    loaded = {rule["name"] for group in groups for rule in group["rules"]}
    text = (ROOT / "deploy/prometheus/alerts.yaml").read_text()
    assert loaded == set(re.findall(r"alert: (\w+)", text))
    with urllib.request.urlopen(f"http://{ASKED}/api/v1/query?query=ALERTS") as answer:
        firing = {alert["metric"]["alertname"] for alert in json.load(answer)["data"]["result"]}
    assert "VoiceflowDown" not in firing and "VoiceflowPanics" not in firing


def test_the_services_of_the_stack_are_confined(stack: Stack) -> None:
    for service in ("server", "prometheus"):
        [name] = run("podman", "ps", "--filter", f"name={service}", "--format", "{{.Names}}").split()
        found = inspect("container", name)
        assert found["HostConfig"]["ReadonlyRootfs"], service
        assert not found["EffectiveCaps"], service
        user = run("podman", "exec", name, "cat", "/proc/1/status")
        assert not re.search(r"Uid:\s+0\s", user), service
