"""`voiceflow-server ab-report` against a Prometheus that has scraped a server with two arms, one of
which fails at some of its recordings."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, running
from scrapes import scraping, wait_for_scrapes

PROGRAM = os.environ.get("VOICEFLOW_SERVER", ROOT / "target/debug/voiceflow-server")
MODEL = ROOT / "models/fast-cnn/1.0.1/model.onnx"
KEYS = 40
ARMS = ("stable", "next")


def report(prometheus: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, "ab-report", "--prometheus", prometheus, "--window", "10m", *more]
    return subprocess.run(command, capture_output=True, text=True)


def bundle(folder: Path, version: str) -> Path:
    """A bundle of the library's model as another version."""
    text = MODEL.read_bytes()
    own = b"\x051.0.1"
    assert text.count(own) == 1
    (folder / version).mkdir()
    (folder / version / "model.onnx").write_bytes(text.replace(own, b"\x05" + version.encode()))
    return folder / version


def post(address: str, data: bytes, key: int) -> tuple[str, int]:
    """The arm that a recording went to, and the status of its answer."""
    request = urllib.request.Request(f"http://{address}/v1/audio/diarizations?key={key}", data=data)
    request.add_header("Content-Type", "audio/wav")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.headers["X-Voiceflow-Arm"], answer.status
    except urllib.error.HTTPError as error:
        return error.headers["X-Voiceflow-Arm"], error.code


def test_arms_are_compared(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arms = zip(ARMS, (bundle(tmp_path, "1.0.1"), bundle(tmp_path, "1.0.2")), strict=True)
    text = "".join(f'[[arms]]\nname = "{name}"\nmodel = "{path}"\n' for name, path in arms)
    config = tmp_path / "server.toml"
    config.write_text(text)
    monkeypatch.setenv("VOICEFLOW_FAULTS", "batch@1.0.2:1+")
    short = tmp_path / "short.wav"
    subprocess.run(["flac", "-s", "-d", "--until=0:04", "-o", short, recording], check=True)
    data = short.read_bytes()
    with (
        running("rollout.window_s=0", config=config) as server,
        scraping(server.admin, tmp_path) as prometheus,
    ):
        # What grows is what was there before.
        asked = [post(server.address, data, key) for key in range(8)]
        wait_for_scrapes(prometheus)
        asked = [post(server.address, data, key) for key in range(KEYS)]
        wait_for_scrapes(prometheus)
        found = json.loads(report(f"http://{prometheus}", "--control", "stable", "--json").stdout)
        shown = report(f"http://{prometheus}", "--control", "stable")
    sent = {arm: [status for name, status in asked if name == arm] for arm in ARMS}
    assert all(len(statuses) > KEYS / 5 for statuses in sent.values())
    assert set(sent["stable"]) == {200} and set(sent["next"]) == {500}
    assert (found["control"], [arm["arm"] for arm in found["arms"]]) == ("stable", ["next", "stable"])
    for arm in found["arms"]:
        [kind] = arm["kinds"]
        rate = kind["error_rate"]
        expected = 1.0 if arm["arm"] == "next" else 0.0
        # Prometheus extrapolates to the ends of the window, and starts from the first scrape.
        assert 0.4 * len(sent[arm["arm"]]) < kind["answers"] < 3 * len(sent[arm["arm"]])
        assert rate["value"] == expected and rate["low"] <= expected <= rate["high"]
    difference = found["arms"][0]["kinds"][0]["error_rate_difference"]
    assert difference["value"] == 1.0 and 0.5 < difference["low"] < 1.0
    [stable] = [arm for arm in found["arms"] if arm["arm"] == "stable"]
    assert stable["kinds"][0]["compute_ratio"] > 0
    p50, p99 = (it["value"] for it in stable["times"][0]["quantiles"])
    assert 0 < p50["low"] <= p50["value"] <= p50["high"] <= p99["high"]
    assert shown.returncode == 0 and "points more: worse" in shown.stdout, shown


def test_what_cannot_be_asked_is_told() -> None:
    done = report("https://127.0.0.1:9")
    assert done.returncode == 1 and "--prometheus: expected http://HOST:PORT" in done.stderr
    done = report("http://127.0.0.1:9")
    assert done.returncode == 1 and "127.0.0.1:9: " in done.stderr
