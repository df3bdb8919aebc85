#!/usr/bin/env python3
"""The server for a while at 80 % of its capacity, with peers that fail and a disk that fills.

scripts/soak_server.py --minutes 30 --program target/release/voiceflow-server

Streams that behave send the recording as it is spoken, and must get exactly the final segments of a
stream alone. Beside them peers cut and reset their connections, do not read, do not write, send
nonsense, give uploads up; the disk of uploads and voices fills up and is cleared; tokens and
certificates are read again; voices come and go; with libfaketime the clock of the day steps by an
hour. Memory and descriptors are sampled: they must not grow. Threads that write to the disk come
and go with the uploads: once all peers are gone there must be as many threads and descriptors as
before the first. Needs the packages of server/tests/clients/requirements.txt; a small disk is
mounted where the user may do that.
"""

import argparse
import asyncio
import io
import json
import os
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import wave
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import websockets

ROOT = Path(__file__).parents[1]
RECORDING = ROOT / "examples/data/conversation.flac"
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
RATE, SAMPLE_BYTES = 16_000, 2
PIECE = int(0.4 * RATE) * SAMPLE_BYTES
SHARE = 0.8  # of the capacity
DISK_MB = 24
SAMPLE_S = 2.0
FAULT_S = 0.4  # from one fault to the next
FAULTS_AT_ONCE = 16
END_S = 120  # before the end in which streams end, and there are fewer
WARM = 0.25  # share of the time in which pools may still fill
# What may differ between the first and the last third of the rest.
GROWTH = {
    "process_resident_memory_bytes": 16e6,
    "process_open_fds": 16.0,
}
# What must be as before once no peer is left.
AT_REST = ("process_open_fds", "process_threads")
# After this time without a peer all is given back: idle peers are given up within 15 s, idle
# threads of the disk within 10 s.
REST_S = 30
STREAM = "/v1/audio/diarizations/stream"


class Soak:
    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.arguments, self.folder = arguments, folder
        self.counts: Counter[str] = Counter()
        self.samples: list[tuple[float, dict[str, float]]] = []
        self.wrong: list[str] = []
        command = ["flac", "-s", "-d", "-c", "--force-raw-format", "--endian=little", "--sign=signed"]
        self.audio = subprocess.run([*command, RECORDING], capture_output=True, check=True).stdout
        self.voice = self.alone()
        self.disk, self.mounted = folder / "disk", False
        self.disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "soak", str(self.disk)]
        self.mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
        self.clock = folder / "clock" if FAKETIME.exists() else None

    def alone(self) -> bytes:
        """What the first speaker says, as a recording."""
        turns = [line.split() for line in RECORDING.with_suffix(".rttm").read_text().splitlines()]
        held = io.BytesIO()
        with wave.open(held, "wb") as file:
            file.setparams((1, SAMPLE_BYTES, RATE, 0, "NONE", ""))
            for turn in (turn for turn in turns if turn[7] == turns[0][7]):
                begin, length = (SAMPLE_BYTES * int(float(seconds) * RATE) for seconds in turn[3:5])
                file.writeframes(self.audio[begin : begin + length])
        return held.getvalue()

    def start(self) -> None:
        keys = [
            "log.level=error",
            "drain.delay_s=0",
            "drain.length_s=60",
            f"voices.folder={self.disk}/voices",
        ]
        keys += [f"limits.spool_folder={self.disk}", "listen.connections_per_address=4096"]
        # Peers that fail are given up while the soak lasts.
        keys += [
            "live.idle_s=10",
            "live.ping_s=5",
            "live.pong_s=5",
            f"live.capacity={self.arguments.capacity}",
        ]
        command = [self.arguments.program, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        for key in keys:
            command += ["--set", key]
        environment = dict(os.environ)
        if self.clock:
            self.clock.write_text("+0")
            environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self.clock)}
            environment |= {"FAKETIME_CACHE_DURATION": "1", "DONT_FAKE_MONOTONIC": "1"}
        log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        )
        lines = [self.process.stdout.readline().strip().partition("://")[2] for _ in range(2)]
        self.address, self.admin = lines[0], lines[1].removesuffix("/metrics")
        while True:
            with suppress(OSError), urllib.request.urlopen(f"http://{self.admin}/ready"):
                return
            time.sleep(0.05)

    def metrics(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=60) as answer:
            lines = [line.rpartition(" ") for line in answer.read().decode().splitlines()]
        return {name: float(value) for name, _, value in lines if not name.startswith("#") and name}

    async def sample(self, end: float) -> None:
        while time.monotonic() < end:
            self.samples.append((time.monotonic(), await asyncio.to_thread(self.metrics)))
            await asyncio.sleep(SAMPLE_S)

    async def stream(self, paced: bool) -> list:
        """The final segments of a stream that behaves."""
        segments: list = []
        url = f"ws://{self.address}{STREAM}"
        async with websockets.connect(url, ping_interval=None, open_timeout=60) as peer:

            async def send() -> None:
                began = time.monotonic()
                for index, start in enumerate(range(0, len(self.audio), PIECE)):
                    if paced:
                        await asyncio.sleep(began + 0.4 * index - time.monotonic())
                    await peer.send(self.audio[start : start + PIECE])
                await peer.send(json.dumps({"type": "audio.end"}))

            sending = asyncio.create_task(send())
            async for text in peer:
                message = json.loads(text)
                if message["type"] == "diarization.update":
                    segments += message["segments"]
                elif message["type"] == "error":
                    self.wrong.append(message["error"]["message"])
            await sending
        if peer.close_code != 1000:
            self.wrong.append(f"a stream that behaves was closed with {peer.close_code} {peer.close_reason}")
        return segments

    async def behave(self, end: float, expected: list) -> None:
        await asyncio.sleep(random.uniform(0, 50))
        while time.monotonic() < end - 60:
            try:
                found = await self.stream(paced=True)
            except (OSError, websockets.WebSocketException) as error:
                self.wrong.append(f"a stream that behaves: {error!r}")
                continue
            self.counts["streams"] += 1
            if found != expected:
                self.wrong.append(f"a stream lost or changed finals: {len(found)} of {len(expected)}")

    def plain(self) -> socket.socket:
        host, port = self.address.split(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def opened(self) -> socket.socket:
        peer = self.plain()
        head = f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        peer.sendall(head.encode())
        peer.recv(4096)
        return peer

    def frame(self, payload: bytes, kind: int = 2) -> bytes:
        return struct.pack(">BBH4x", 0x80 | kind, 0x80 | 126, len(payload)) + payload

    def reset(self) -> None:
        """Sends some audio, and resets the connection."""
        with self.opened() as peer:
            for start in range(0, random.randrange(1, 9) * PIECE, PIECE):
                peer.sendall(self.frame(self.audio[start : start + PIECE]))
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def cut(self) -> None:
        """Goes away in the middle of a message."""
        with self.opened() as peer:
            peer.sendall(self.frame(self.audio[:PIECE]) + self.frame(self.audio[:PIECE])[:1000])

    def silence(self) -> None:
        """Neither reads nor writes, until it is given up."""
        with self.opened() as peer:
            peer.sendall(self.frame(self.audio[:PIECE]))
            time.sleep(12)

    def nonsense(self) -> None:
        with self.opened() as peer, suppress(OSError):
            peer.sendall(random.choice([self.frame(b"\xff{", 1), self.frame(b"odd"), os.urandom(500)]))
            peer.recv(4096)

    def abandon(self) -> None:
        """Gives an upload up."""
        with self.plain() as peer:
            head = "POST /v1/audio/diarizations HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
            peer.sendall(head.encode() + os.urandom(random.randrange(1, 400_000)))

    def recording(self) -> None:
        self.ask("POST", "/v1/audio/diarizations", RECORDING.read_bytes(), "recordings")

    def fill(self) -> None:
        """An upload that the disk has no room for, when the disk is small."""
        self.ask("POST", "/v1/audio/diarizations", bytes((DISK_MB + 8) << 20), "uploads")

    def voices(self) -> None:
        """A voice comes and goes; that of a crowd is refused."""
        voice = random.choice([self.voice, RECORDING.read_bytes()])
        self.ask("PUT", f"/v1/voices/g{random.randrange(4)}/x", voice, "voices")
        self.ask("DELETE", f"/v1/voices/g{random.randrange(4)}/x", b"", "voices")

    def hang_up(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def step(self) -> None:
        """The clock of the day goes an hour forth or back."""
        if self.clock:
            self.clock.write_text(random.choice(["+3600", "-3600", "+0"]))

    def ask(self, method: str, path: str, body: bytes, name: str) -> None:
        request = urllib.request.Request(f"http://{self.address}{path}", data=body, method=method)
        request.add_header("Content-Type", "application/octet-stream")
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                answer.read()
                self.counts[f"{name} {answer.status}"] += 1
        except urllib.error.HTTPError as refused:
            self.counts[f"{name} {refused.code} {json.load(refused)['error']['code']}"] += 1

    async def fail(self, end: float) -> None:
        """Peers that fail, one after another and several at a time."""
        often: list[Callable[[], None]] = [self.reset, self.cut, self.silence, self.nonsense, self.abandon]
        seldom = [self.recording, self.fill, self.voices, self.hang_up, self.step]
        under_way: set[asyncio.Task] = set()
        while time.monotonic() < end - 30:
            fault = random.choice(often if random.random() < 0.8 else seldom)
            if len(under_way) < FAULTS_AT_ONCE:
                self.counts[f"fault {fault.__name__}"] += 1
                task = asyncio.create_task(self.quietly(asyncio.to_thread(fault)))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.sleep(FAULT_S)
        await asyncio.gather(*under_way)

    async def quietly(self, fault: Awaitable[None]) -> None:
        # What a peer that fails sees of it is its own matter.
        with suppress(OSError):
            await fault

    async def run(self) -> None:
        threads = ThreadPoolExecutor(FAULTS_AT_ONCE + 2)
        asyncio.get_running_loop().set_default_executor(threads)
        expected = await self.stream(paced=False)
        self.rested = [await self.at_rest()]
        end = time.monotonic() + 60 * self.arguments.minutes
        streams = int(SHARE * self.arguments.capacity)
        tasks = [self.behave(end, expected) for _ in range(streams)]
        await asyncio.gather(self.sample(end), self.fail(end), *tasks)
        self.rested.append(await self.at_rest())

    async def at_rest(self) -> dict[str, float]:
        await asyncio.sleep(REST_S)
        return await asyncio.to_thread(self.metrics)

    def report(self) -> bool:
        """Whether all is well, and what was found."""
        began, ended = self.samples[0][0], self.samples[-1][0]
        warm, last = began + WARM * (ended - began), ended - END_S
        settled = [(at, it) for at, it in self.samples if warm < at < last]
        third = max(1, len(settled) // 3)
        good = not self.wrong
        for name, most in GROWTH.items():
            before, after = (
                statistics.median(it[name] for _, it in part) for part in (settled[:third], settled[-third:])
            )
            slope = statistics.linear_regression(
                *zip(*((at / 3600, it[name]) for at, it in settled), strict=True)
            ).slope
            print(f"{name}: {before:.0f} to {after:.0f}, {slope:+.0f} an hour")
            good &= after - before <= most
        for name in AT_REST:
            before, after = (it[name] for it in self.rested)
            print(f"{name} without peers: {before:.0f} before, {after:.0f} after")
            good &= after <= before
        panics = self.samples[-1][1]["voiceflow_panics_total"]
        minutes, with_clock = (ended - began) / 60, bool(self.clock)
        print(f"minutes {minutes:.1f}, panics {panics:.0f}, small disk {self.mounted}, clock {with_clock}")
        print(", ".join(f"{name}: {count}" for name, count in sorted(self.counts.items())))
        print(f"wrong: {len(self.wrong)} {self.wrong[:5]}")
        return good and panics == 0 and self.counts["streams"] > 0

    def end(self) -> bool:
        """Whether the server drains by itself."""
        self.process.terminate()
        try:
            code = self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        print(f"exit code {code}")
        return code == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--capacity", type=int, default=100, help="streams of which 80 %% are under way")
    parser.add_argument("--program", default=ROOT / "target/release/voiceflow-server")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(arguments, Path(folder))
        try:
            soak.start()
            asyncio.run(soak.run())
            good = soak.report()
            good &= soak.end()
            print((Path(folder) / "log").read_text()[-2000:])
        finally:
            if soak.mounted:
                soak.process.kill()
                subprocess.run(["umount", str(soak.disk)], check=False)
    sys.exit(not good)


if __name__ == "__main__":
    main()
