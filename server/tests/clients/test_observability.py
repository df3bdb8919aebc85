"""The dashboard and the alerts in deploy/, against the metrics that there are: promtool's tests,
and every query of the dashboard by a Prometheus that has scraped a server."""

import json
import re
import signal
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

import pytest
import websockets.sync.client
from conftest import ROOT, running
from test_clients import FRAME_BYTES, RATE, samples
from websockets.exceptions import InvalidStatus

METRICS = ROOT / "server/src/metrics"
DASHBOARD = ROOT / "deploy/grafana/voiceflow.json"
RULES = ROOT / "deploy/prometheus"
NAME = re.compile(r"\b(?:voiceflow|process)_\w+")
# What the type of a metric, or the text format, adds to its name.
ENDINGS = re.compile(r"_(total|info|bucket|sum|count)$")
SPEECH_S = 6
# Longest time until a Prometheus that scrapes every second has seen all.
SCRAPED_S = 60


def registered() -> set[str]:
    """The names of all metrics, as the server registers them."""
    source = "".join(path.read_text() for path in METRICS.glob("*.rs"))
    return set(re.findall(r'"((?:voiceflow|process)_\w+)"', source))


def queries() -> Iterator[tuple[str, str]]:
    """The queries of the dashboard, each with the title of its panel."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def bare(names: set[str]) -> set[str]:
    return {name if name in registered() else ENDINGS.sub("", name) for name in names}


def test_the_dashboard_has_every_metric_and_no_other() -> None:
    subprocess.run([sys.executable, ROOT / "scripts/dashboard.py", "--check"], check=True)
    shown = bare({name for _, query in queries() for name in NAME.findall(query)})
    assert len(registered()) > 15 and shown == registered()


def test_alerts_are_tested_and_ask_for_metrics_that_there_are() -> None:
    rules, tests = ((RULES / name).read_text() for name in ("alerts.yaml", "alerts_test.yaml"))
    asked = NAME.findall("\n".join(re.findall(r"expr: (.*?)\n +(?:for|labels):", rules, re.DOTALL)))
    assert len(asked) > 10 and bare(set(asked)) <= registered()
    alerts = re.findall(r"alert: (\w+)", rules)
    for alert in alerts:
        cases = re.findall(rf"alertname: {alert}\n +exp_alerts:(.*)", tests)
        assert "" in cases and " []" in cases, f"{alert}: expected a case that fires and one that does not"
    for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]):
        done = subprocess.run(["promtool", *command], cwd=RULES, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def prometheus(certificates: Path, recording: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a Prometheus that has scraped a server at which everything has happened."""
    files = {"certificate": "server.pem", "key": "server.key"}
    keys = [f"tls.{key}={certificates / name}" for key, name in files.items()]
    with running("live.capacity=1", *keys) as server:
        address = free_address()
        speech = samples(recording)[: SPEECH_S * RATE * FRAME_BYTES]
        target = {"job_name": "voiceflow", "static_configs": [{"targets": [server.admin]}]}
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [target]}
        (tmp_path / "prometheus.yml").write_text(json.dumps(config))
        command = ["prometheus", f"--config.file={tmp_path / 'prometheus.yml'}", "--log.level=error"]
        command += [f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address={address}"]
        with subprocess.Popen(command) as process:
            try:
                # Rates are of what there was at two scrapes: each label must be there before it
                # grows.
                wait_for_scrapes(address)
                for _ in range(2):
                    use(server.address, certificates / "ca.pem", speech)
                    server.process.send_signal(signal.SIGHUP)
                    wait_for_scrapes(address)
                yield address
            finally:
                process.terminate()


def wait_for_scrapes(prometheus: str) -> None:
    """Waits for two more: the first one may be under way."""
    began, first = time.monotonic(), scrapes(prometheus)
    while scrapes(prometheus) < first + 2:
        assert time.monotonic() - began < SCRAPED_S, f"{first} scrapes"
        time.sleep(0.2)


def scrapes(prometheus: str) -> int:
    counted = result(prometheus, 'count_over_time(up{job="voiceflow"}[5m])')
    return int(counted[0]["value"][1]) if counted else 0


def free_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return "{}:{}".format(*listener.getsockname())


def use(address: str, ca: Path, speech: bytes) -> None:
    """Does at a server what its metrics count."""
    trust = ssl.create_default_context(cafile=str(ca))
    url = f"wss://{address}/v1/audio/diarizations/stream"
    with websockets.sync.client.connect(url, ssl=trust) as stream:
        for start in range(0, len(speech), RATE):
            stream.send(speech[start : start + RATE])
        with pytest.raises(InvalidStatus):
            websockets.sync.client.connect(url, ssl=trust)
        stream.send(json.dumps({"type": "audio.end"}))
        assert json.loads(list(stream)[-1])["type"] == "diarization.done"
    body = urllib.request.Request(f"https://{address}/v1/audio/diarizations", data=b"no audio")
    body.add_header("Content-Type", "audio/wav")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(body, context=trust)


def test_no_panel_is_empty(prometheus: str) -> None:
    empty, began = list(queries()), time.monotonic()
    while empty:
        assert time.monotonic() - began < SCRAPED_S, empty
        time.sleep(0.5)
        empty = [(title, query) for title, query in empty if not result(prometheus, query)]


def result(prometheus: str, query: str) -> list[dict]:
    for name, value in {"$instance": ".*", "$__rate_interval": "5m"}.items():
        query = query.replace(name, value)
    url = f"http://{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url) as answer:
            found = json.load(answer)["data"]["result"]
    except urllib.error.URLError:  # it starts
        return []
    return [it for it in found if it["value"][1] != "NaN"]
