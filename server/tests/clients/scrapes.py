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
SCRAPED_S = 180
# Most addresses that are tried.
ADDRESSES = 10


@contextmanager
def scraping(admin: str, folder: Path) -> Iterator[str]:
    """The address of a Prometheus that scrapes the server whose address of administration this
    is."""
    target = {"job_name": "voiceflow", "static_configs": [{"targets": [admin]}]}
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [target]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", "--log.level=error"]
    command += [f"--storage.tsdb.path={folder / 'data'}"]
    for _ in range(ADDRESSES):
        address = free_address()
        with subprocess.Popen([*command, f"--web.listen-address={address}"]) as process:
            try:
                if listens(process, address):
                    yield address
                    return
            finally:
                process.terminate()
    raise AssertionError(f"Prometheus ended at each of {ADDRESSES} addresses")


def listens(process: subprocess.Popen, address: str) -> bool:
    """Waits for a server; false where it ends, as another program has taken its address
    meanwhile."""
    host, port = address.split(":")
    began = time.monotonic()
    while process.poll() is None:
        try:
            socket.create_connection((host, int(port))).close()
            return True
        except ConnectionError:
            assert time.monotonic() - began < SCRAPED_S, f"nobody listens on {address}"
            time.sleep(0.1)
    return False


def wait_for_scrapes(prometheus: str) -> None:
    """Waits for two more: the first one may be under way."""
    began, first = time.monotonic(), scrapes(prometheus)
    while scrapes(prometheus) < first + 2:
        assert time.monotonic() - began < SCRAPED_S, f"{first} scrapes"
        time.sleep(0.2)


def scrapes(prometheus: str) -> int:
    """Those that were answered: a scrape is given up after a second."""
    counted = result(prometheus, 'sum_over_time(up{job="voiceflow"}[1d])')
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
