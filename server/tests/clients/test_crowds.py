"""Many clients at once: silent ones, ones that send too much, and ones whose server ends."""

import asyncio
import json
import os
import resource
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import websockets
from conftest import PATIENCE_S, PATIENTLY, Server, running
from test_clients import FRAME_BYTES, RATE, samples

# The tests take fewer, for the time, than `make test-server-crowds`.
SILENT = int(os.environ.get("VOICEFLOW_SILENT", "2000"))
STREAMS = int(os.environ.get("VOICEFLOW_STREAMS", "24"))
# What the server and this program have open beside connections.
OTHERS = 200
# How long a drain takes, with what it needs to begin and to end, of which it leaves a fifth to the
# last stream.
DRAIN_S = 90 if STREAMS > 100 else 45
PIECE = RATE // 2 * FRAME_BYTES
GET = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def metric(server: Server, line: str) -> float:
    with urllib.request.urlopen(f"http://{server.admin}/metrics") as answer:
        text = answer.read().decode()
    found = [it.removeprefix(line + " ") for it in text.splitlines() if it.startswith(line + " ")]
    return float(found[0]) if found else 0.0


def connect(address: str) -> socket.socket:
    host, port = address.split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def answered(connection: socket.socket) -> bool:
    """Whether a request is answered; who is one too many is closed."""
    try:
        connection.sendall(GET)
        return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def until(holds: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_S
        time.sleep(0.1)


@pytest.fixture
def descriptors() -> Iterator[int]:
    """How many connections a server and this program may have open, up to `SILENT`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield min(SILENT, hard - OTHERS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_all_connections_together_are_counted() -> None:
    with running("live.capacity=1", "listen.connections=3") as server, ExitStack() as opened:
        held = [opened.enter_context(connect(server.address)) for _ in range(3)]
        with connect(server.address) as fourth:
            assert not answered(fourth)
        assert answered(held.pop())

        def free() -> bool:
            with connect(server.address) as another:
                return answered(another)

        until(free)


def test_silent_connections_cost_little_and_end(descriptors: int) -> None:
    limits = [f"listen.{key}={descriptors}" for key in ("connections", "connections_per_address")]
    timeout = "listen.header_timeout_s=15"
    with running("live.capacity=1", timeout, *limits) as server, ExitStack() as opened:
        before = metric(server, "process_resident_memory_bytes")
        silent = [opened.enter_context(connect(server.address)) for _ in range(descriptors - 1)]
        with connect(server.address) as speaks:
            assert answered(speaks), "one that speaks is not served beside those who do not"
        grown = metric(server, "process_resident_memory_bytes") - before
        assert grown < 20e3 * descriptors, f"{grown} bytes for {descriptors} connections"
        # Each has its end, and gives its place back.
        assert all(closed(connection) for connection in silent)
        until(lambda: metric(server, "process_open_fds") < OTHERS)


def closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


async def stream(address: str, audio: bytes, ended: asyncio.Event | None = None) -> tuple[list, int, str]:
    """The final segments of a stream that sends all it has at once, and how it was closed. Once all
    is processed it says so, where it is asked to."""
    segments = []
    url = f"ws://{address}/v1/audio/diarizations/stream"
    async with websockets.connect(url, **PATIENTLY) as connection:

        async def send() -> None:
            for start in range(0, len(audio), PIECE):
                await connection.send(audio[start : start + PIECE])

        sending = asyncio.create_task(send())
        try:
            async for text in connection:
                message = json.loads(text)
                if message["type"] == "diarization.update":
                    segments += message["segments"]
                whole_s = len(audio) / FRAME_BYTES / RATE
                if ended and message.get("processed_until", 0) > whole_s - 0.01:
                    ended.set()
        except websockets.ConnectionClosed:
            pass
        sending.cancel()
    return segments, connection.close_code, connection.close_reason


def test_a_drain_delivers_the_segments_of_all_streams(recording: Path) -> None:
    audio = samples(recording)[: 8 * RATE * FRAME_BYTES]

    async def crowd(server: Server) -> tuple[list[tuple[list, int, str]], float]:
        events = [asyncio.Event() for _ in range(STREAMS)]
        streams = [asyncio.create_task(stream(server.address, audio, event)) for event in events]
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in events)), PATIENCE_S)
        server.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        return await asyncio.gather(*streams), time.monotonic() - began

    keys = ["drain.delay_s=0", f"drain.length_s={DRAIN_S}"]
    keys += ["listen.connections_per_address=4096"]
    with running(f"live.capacity={STREAMS}", *keys) as server:
        (first, *others), took_s = asyncio.run(crowd(server))
        print(f"{STREAMS} streams ended in {took_s:.1f} s")
        assert took_s < DRAIN_S
        assert (first[1], first[2]) == (1012, "drained") and len(first[0]) > 1
        assert all(other == first for other in others)
        assert server.process.wait(PATIENCE_S) == 0


def test_who_cannot_be_kept_up_with_is_closed(recording: Path) -> None:
    audio = samples(recording)
    keys = [
        f"live.capacity={STREAMS}",
        "listen.connections_per_address=4096",
        "live.workers=1",
        "live.behind_s=0.3",
    ]

    async def crowd(address: str) -> list[tuple[list, int, str]]:
        return await asyncio.gather(*(stream(address, audio) for _ in range(STREAMS)))

    with running(*keys, "live.idle_s=3") as server:
        ends = {(code, reason) for _, code, reason in asyncio.run(crowd(server.address))}
        assert (1013, "backlog") in ends and ends <= {(1013, "backlog"), (1008, "idle")}, ends
        assert metric(server, 'voiceflow_streams_total{outcome="backlog"}') > 0

        def served() -> bool:
            segments, code, _ = asyncio.run(stream(server.address, audio[: 8 * RATE * FRAME_BYTES]))
            return code == 1008 and bool(segments)

        # Who comes later is served, if it can be kept up with.
        until(served)
