"""A Prometheus that scrapes a server."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Longest time until a Prometheus that scrapes every second has seen all.
SCRAPED_S = 60


@contextmanager
def scraping(admin: str, folder: Path) -> Iterator[str]:
    """The address of a Prometheus that scrapes the server whose address of administration this
    is."""
    address = free_address()
    target = {"job_name": "voiceflow", "static_configs": [{"targets": [admin]}]}
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [target]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", "--log.level=error"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}"]
    with subprocess.Popen(command) as process:
        try:
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


def result(prometheus: str, query: str) -> list[dict]:
    url = f"http://{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url) as answer:
            found = json.load(answer)["data"]["result"]
    except urllib.error.URLError:  # it starts
        return []
    return [it for it in found if it["value"][1] != "NaN"]
