"""Servers that follow a channel of a registry, and clients that keep them at work."""

import json
import subprocess
import threading
import urllib.request
from pathlib import Path

from registries import PROGRAMS, RECORDING, answers, wait_until


def serve(environment: dict[str, str], cache: Path, bundle: str) -> tuple[subprocess.Popen, str, str]:
    """A server that follows a channel, and its two addresses."""
    keys = [f"registry.url={environment['VOICEFLOW_REGISTRY']}", f"registry.cache={cache}"]
    keys += [f'registry.keys=["{environment["VOICEFLOW_TRUSTED_KEYS"]}"]', f"model.bundle={bundle}"]
    keys += ["rollout.poll_s=1", "log.level=error", "live.capacity=8"]
    # Whatever else the machine does, nobody waits long for a recording, no client is too slow, and
    # no model looks worse than another.
    keys += ["batch.niceness=0", "limits.upload_grace_s=600", "listen.header_timeout_s=600"]
    keys += ["listen.write_timeout_s=600", "live.behind_s=600", "live.first_message_s=600"]
    keys += ["live.idle_s=600", "live.ping_s=600", "live.pong_s=600", "rollout.ratio=1000"]
    command = [PROGRAMS / "voiceflow-server", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    command += [part for key in keys for part in ("--set", key)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    found, admin = (server.stdout.readline().strip().partition("://")[2] for _ in range(2))
    admin = admin.removesuffix("/metrics")
    wait_until("the server is ready", lambda: answers(f"http://{admin}/ready"))
    return server, found, admin


def post(address: str) -> str:
    """The model that answers a recording."""
    request = urllib.request.Request(f"http://{address}/v1/audio/diarizations", data=RECORDING.read_bytes())
    request.add_header("Content-Type", "audio/flac")
    with urllib.request.urlopen(request) as answer:
        return answer.headers["X-Voiceflow-Model"]


class Load:
    """Two streams at a time, and one recording after another, until told otherwise."""

    def __init__(self, address: str) -> None:
        self.command = [PROGRAMS / "voiceflow", "bench", "--server", f"ws://{address}", "--streams", "2"]
        self.command += ["--recordings", "1", "--seconds", "4", "--json", RECORDING]
        self.ended = threading.Event()
        self.runs: list[subprocess.CompletedProcess[str]] = []
        self.thread = threading.Thread(target=self.go_on)
        self.thread.start()

    def go_on(self) -> None:
        while not self.ended.is_set():
            self.runs.append(subprocess.run(self.command, capture_output=True, text=True))

    def end(self) -> list[dict]:
        self.ended.set()
        self.thread.join()
        assert all(run.returncode == 0 for run in self.runs), self.runs
        return [load for run in self.runs for load in json.loads(run.stdout)["load"]]


def check_served(loads: list[dict]) -> None:
    """Whether nothing of a load was refused, cut or failed."""
    assert loads
    for load in loads:
        assert (load["served"], load["refused"], load["cut"]) == (2, 0, 0), load
        assert load["recordings"]["answered"] > 0 and load["recordings"]["failed"] == 0, load


def end(server: subprocess.Popen) -> None:
    server.kill()
    server.wait()
