"""The dashboard and the alerts in deploy/, against the metrics that there are: promtool's tests,
and every query of the dashboard by a Prometheus that has scraped a server."""

import asyncio
import json
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import websockets
from conftest import PATIENTLY, ROOT, running
from scrapes import SCRAPED_S, result, scraping, wait_for_scrapes
from test_clients import FRAME_BYTES, RATE, samples
from websockets.exceptions import InvalidStatus

METRICS = ROOT / "server/src/metrics"
DASHBOARD = ROOT / "deploy/grafana/voiceflow.json"
RULES = ROOT / "deploy/prometheus"
NAME = re.compile(r"\b(?:voiceflow|process)_\w+")
# What the type of a metric, or the text format, adds to its name.
ENDINGS = re.compile(r"_(total|info|bucket|sum|count)$")
SPEECH_S = 6


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
    keys += ["shadow.model=fast-cnn", "shadow.share=1", "shadow.niceness=0"]
    with running("live.capacity=1", *keys) as server, scraping(server.admin, tmp_path) as address:
        speech = samples(recording)[: SPEECH_S * RATE * FRAME_BYTES]
        # Rates are of what there was at two scrapes: each label must be there before it grows.
        wait_for_scrapes(address)
        for _ in range(2):
            use(server.address, certificates / "ca.pem", speech, recording)
            server.process.send_signal(signal.SIGHUP)
            wait_for_scrapes(address)
        yield address


def use(address: str, ca: Path, speech: bytes, recording: Path) -> None:
    """Does at a server what its metrics count."""
    trust = ssl.create_default_context(cafile=str(ca))
    url = f"wss://{address}/v1/audio/diarizations/stream"
    asyncio.run(stream_and_one_too_many(url, trust, speech))
    for data in (recording.read_bytes(), b"no audio"):
        body = urllib.request.Request(f"https://{address}/v1/audio/diarizations", data=data)
        body.add_header("Content-Type", "audio/flac")
        with nullcontext() if data != b"no audio" else pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(body, context=trust).close()


async def stream_and_one_too_many(url: str, trust: ssl.SSLContext, speech: bytes) -> None:
    """By asyncio: an SSL socket of Python 3.11 that two threads use, as those of websockets' other
    client do, is no longer answered once in some hundred times (CPython 143756)."""
    async with websockets.connect(url, ssl=trust, **PATIENTLY) as stream:
        for start in range(0, len(speech), RATE):
            await stream.send(speech[start : start + RATE])
        with pytest.raises(InvalidStatus):
            await websockets.connect(url, ssl=trust, **PATIENTLY)
        await stream.send(json.dumps({"type": "audio.end"}))
        messages = [message async for message in stream]
        assert json.loads(messages[-1])["type"] == "diarization.done"


def test_no_panel_is_empty(prometheus: str) -> None:
    empty, began = list(queries()), time.monotonic()
    while empty:
        assert time.monotonic() - began < SCRAPED_S, empty
        time.sleep(0.5)
        empty = [(title, query) for title, query in empty if not result(prometheus, plain(query))]


def plain(query: str) -> str:
    """A query of the dashboard without Grafana's variables."""
    for name, value in {"$instance": ".*", "$__rate_interval": "5m"}.items():
        query = query.replace(name, value)
    return query
