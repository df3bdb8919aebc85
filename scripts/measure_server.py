#!/usr/bin/env python3
"""Measures voiceflow-server as docs/PERFORMANCE.md has it, on a machine that does nothing else.

    make measure-server                                       # with its quick settings: some four minutes
    scripts/measure_server.py --streams 300 --seconds 60      # longer
    scripts/measure_server.py --only ladder,recording
    GOBIN=/tmp go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0
    scripts/measure_server.py --toxiproxy /tmp/server         # with the network's delay

Client and server share the machine, over TLS. Figures of the server are those of its metrics, taken
over the seconds that are measured.
"""

import argparse
import json
import re
import shutil
import socket
import ssl
import statistics
import subprocess
import tempfile
import time
import urllib.request
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
RECORDING = ROOT / "examples/data/conversation.flac"
WARM_UP_S = 4.5  # of `voiceflow bench --server`, and until its first chunk
PATIENCE_S = 60
LONG = 20  # times the recording, for one whose time can be compared
PAIRS = 5  # of runs over HTTP and by the command line
IDLE = 200  # streams
RTTS_MS = (0, 10, 40)
LIVE_AUDIO = 'voiceflow_audio_seconds_total{kind="live",arm="stable"}'

Report = dict[str, object]


def get(address: str, path: str) -> str:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE_S) as answer:
        return answer.read().decode()


class Server:
    """A running server with TLS, and what its metrics say."""

    def __init__(self, process: subprocess.Popen[str], began: float) -> None:
        lines = [process.stdout.readline().strip() for _ in range(2)]
        self.address = lines[0].partition("://")[2]
        self.admin = lines[1].partition("://")[2].removesuffix("/metrics")
        while True:
            try:
                get(self.admin, "/ready")
                break
            except OSError:
                if time.monotonic() - began > PATIENCE_S:
                    raise
                time.sleep(0.005)
        self.ready_s = time.monotonic() - began

    def metrics(self) -> dict[str, float]:
        lines = [line for line in get(self.admin, "/metrics").splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def quantile_ms(before: dict[str, float], after: dict[str, float], metric: str, share: float) -> float | None:
    """That of the observations between two scrapes, as Prometheus finds it in its bucket."""
    bounds = [re.search(rf'^{metric}_bucket{{(?:.*,)?le="(.*?)".*}}$', name) for name in after]
    found: dict[float, float] = {}  # of all arms together
    for bound in filter(None, bounds):
        name, end = bound[0], float(bound[1])
        found[end] = found.get(end, 0.0) + after[name] - before.get(name, 0.0)
    counts = sorted(found.items())
    rank, lower, below = share * counts[-1][1], 0.0, 0.0
    if not counts[-1][1]:
        return None
    for end, count in counts:
        if count >= rank:
            inside = (rank - below) / (count - below) if count > below else 1.0
            return 1e3 * (lower if end == float("inf") else lower + (end - lower) * inside)
        lower, below = end, count
    return None


class Measure:
    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.arguments, self.folder = arguments, folder
        self.programs = arguments.programs
        self.ca = folder / "ca.pem"
        self.certificates()

    def certificates(self) -> None:
        key = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
        for command in (
            f"req -x509 {key} -subj /CN=ca -days 2 -keyout ca.key -out ca.pem",
            f"req -new {key} -subj /CN=s -addext subjectAltName=IP:127.0.0.1 -keyout server.key"
            " -out server.csr",
            "x509 -req -days 2 -copy_extensions copy -CA ca.pem -CAkey ca.key -CAcreateserial"
            " -in server.csr -out server.pem",
        ):
            subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True)

    @contextmanager
    def server(self, *keys: str) -> Iterator[Server]:
        own = [f"tls.certificate={self.folder / 'server.pem'}", f"tls.key={self.folder / 'server.key'}"]
        own += ["listen.connections_per_address=4096", "log.level=error", "drain.delay_s=0"]
        command = [
            self.programs / "voiceflow-server",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ]
        for pair in [*own, *keys]:
            command += ["--set", pair]
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield Server(process, began)
            finally:
                process.kill()

    def bench(self, server: Server, streams: int, *more: str, address: str = "") -> Report:
        """`voiceflow bench --server`, and what the server says of the same time."""
        command = [self.programs / "voiceflow", "bench", "--server", f"wss://{address or server.address}"]
        command += ["--ca", self.ca, "--streams", str(streams), "--seconds", str(self.arguments.seconds)]
        command += [*more, "--json", RECORDING]
        heard = server.metrics().get(LIVE_AUDIO, 0)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None and server.metrics().get(LIVE_AUDIO, 0) == heard:
                time.sleep(0.05)
            time.sleep(WARM_UP_S)
            before, began = server.metrics(), time.monotonic()
            time.sleep(max(1.0, self.arguments.seconds - 1))
            after, took_s = server.metrics(), time.monotonic() - began
            text, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"voiceflow bench ended with {process.returncode}")
        [load] = json.loads(text)["load"]
        cpu = "process_cpu_seconds_total"
        load["server"] = {
            f"{name}_p{share}_ms": quantile_ms(before, after, f"voiceflow_stream_{name}_seconds", share / 100)
            for name in ("response", "queue")
            for share in (50, 99)
        }
        load["server"]["cpu_s_per_s"] = (after[cpu] - before[cpu]) / took_s
        load["server"]["resident_mb"] = after["process_resident_memory_bytes"] / 1e6
        return load

    def ladder(self) -> Report:
        """Streams over TLS, beside as many in one process."""
        rows = []
        for count in self.arguments.streams:
            with self.server(f"live.capacity={count}") as server:
                row = self.bench(server, count)
            command = [self.programs / "voiceflow", "bench", "--streaming", "--measure", "load", "--json"]
            command += ["--streams", str(count), "--seconds", str(self.arguments.seconds), "--history", "0"]
            done = subprocess.run([*command, RECORDING], capture_output=True, text=True, check=True)
            [row["in_process"]] = json.loads(done.stdout)["load"]
            row["cpu_ratio"] = row["server"]["cpu_s_per_s"] / row["in_process"]["cpu_s_per_s"]
            rows.append(row)
        return {"rows": rows}

    def recording(self) -> Report:
        """A long recording over HTTP and by the command line, in turns."""
        raw = subprocess.run(["flac", "-s", "-d", "-c", RECORDING], capture_output=True, check=True).stdout
        path, once = self.folder / "long.wav", self.folder / "once.wav"
        once.write_bytes(raw)
        with wave.open(str(once)) as source, wave.open(str(path), "wb") as long:
            long.setparams(source.getparams())
            long.writeframes(source.readframes(source.getnframes()) * LONG)
        by_server, by_command = [], []
        with self.server() as server:
            post = [
                "curl",
                "-sf",
                "--cacert",
                self.ca,
                "-F",
                f"file=@{path}",
                "-o",
                self.folder / "answer.json",
            ]
            post += [f"https://{server.address}/v1/audio/diarizations"]
            diarize = [
                self.programs / "voiceflow",
                "diarize",
                path,
                "--format",
                "json",
                "--output",
                self.folder,
            ]
            for _ in range(PAIRS):
                by_server.append(timed(post))
                by_command.append(timed(diarize))
        medians = statistics.median(by_server), statistics.median(by_command)
        return {"http_s": by_server, "command_line_s": by_command, "ratio": medians[0] / medians[1]}

    def batch(self) -> Report:
        """Two recordings at once beside streams."""
        count = self.arguments.beside
        with self.server(f"live.capacity={count}", "batch.workers=2") as server:
            alone, beside = self.bench(server, count), self.bench(server, count, "--recordings", "2")
        moved = beside["server"]["response_p99_ms"] - alone["server"]["response_p99_ms"]
        return {"alone": alone, "beside": beside, "p99_moves_by_ms": moved}

    def overload(self) -> Report:
        """Three times as many streams as there may be: chunks in time, and how soon others are
        refused."""
        capacity = self.arguments.beside
        with self.server(f"live.capacity={capacity}") as server:
            full, over = self.bench(server, capacity), self.bench(server, 3 * capacity)
        good = [load["chunks"] * (1 - load["late"]) for load in (full, over)]
        return {"full": full, "over": over, "goodput_ratio": good[1] / good[0]}

    def start(self) -> Report:
        """The time to be ready, and that of /metrics."""
        ready_s, metrics_ms = [], []
        for _ in range(PAIRS):
            with self.server() as server:
                ready_s.append(server.ready_s)
                for _ in range(20):
                    began = time.monotonic()
                    server.metrics()
                    metrics_ms.append((time.monotonic() - began) * 1e3)
        return {
            "ready_s": ready_s,
            "metrics_ms": statistics.median(metrics_ms),
            "metrics_max_ms": max(metrics_ms),
        }

    def idle(self) -> Report:
        """Memory of streams that have sent nothing yet."""
        trust = ssl.create_default_context(cafile=str(self.ca))
        head = "GET /v1/audio/diarizations/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        head += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        head += "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        keys = [f"live.capacity={2 * IDLE}", "live.first_message_s=120", "live.idle_s=120"]
        with self.server(*keys) as server, ExitStack() as opened:
            host, port = server.address.split(":")
            resident = []
            # The second half shows what one more costs: the first also fills pools that stay.
            for _ in range(2):
                for _ in range(IDLE):
                    plain = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
                    secure = opened.enter_context(trust.wrap_socket(plain, server_hostname=host))
                    secure.sendall(head.encode())
                    if b" 101 " not in secure.recv(4096):
                        raise SystemExit("idle: expected a stream, got a refusal")
                time.sleep(1)
                resident.append(server.metrics()["process_resident_memory_bytes"])
        return {"streams": 2 * IDLE, "kb_a_stream": (resident[1] - resident[0]) / IDLE / 1e3}

    def network(self) -> Report:
        """Streams through a network with a delay, by toxiproxy; 0 ms is what it takes itself."""
        program = self.arguments.toxiproxy or shutil.which("toxiproxy-server")
        if not program:
            return {"skipped": "toxiproxy's server was not found; --toxiproxy names it"}
        count, rows = self.arguments.beside, []
        with self.server(f"live.capacity={count}") as server:
            for rtt_ms in RTTS_MS:
                with toxiproxy(program, server.address, rtt_ms / 2) as address:
                    rows.append({"rtt_ms": rtt_ms, **self.bench(server, count, address=address)})
        return {"rows": rows}


@contextmanager
def toxiproxy(program: str, upstream: str, one_way_ms: float) -> Iterator[str]:
    """The address of a proxy that delays both ways."""
    api = free_address()
    host, port = api.split(":")
    with subprocess.Popen([program, "-host", host, "-port", port], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: call(api, "/version", None))
            listen = free_address()
            call(api, "/proxies", {"name": "server", "listen": listen, "upstream": upstream})
            for stream in ("upstream", "downstream"):
                toxic = {"type": "latency", "stream": stream, "attributes": {"latency": int(one_way_ms)}}
                call(api, "/proxies/server/toxics", toxic)
            yield listen
        finally:
            process.terminate()


def call(api: str, path: str, body: object) -> None:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"http://{api}{path}", data=data)) as answer:
        answer.read()


def wait_for(ask: Callable[[], None]) -> None:
    began = time.monotonic()
    while True:
        try:
            return ask()
        except OSError:
            if time.monotonic() - began > PATIENCE_S:
                raise
            time.sleep(0.05)


def free_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return "{}:{}".format(*listener.getsockname())


def timed(command: list) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - began


def number(value: object) -> str:
    return "-" if value is None else f"{value:.2f}"


def of_streams(name: str, load: Report) -> str:
    server = load["server"]
    return (
        f"{name}: {load['served']} served, {load['refused']} refused, {load['cut']} cut; server P99 response"
        f" {number(server['response_p99_ms'])} ms, queue {number(server['queue_p99_ms'])} ms; client P99"
        f" {number(load['p99_ms'])} ms (it sent {number(load['sent']['p99_ms'])} ms late), late"
        f" {100 * load['late']:.3f} %; CPU {number(server['cpu_s_per_s'])} s/s,"
        f" {number(server['resident_mb'])} MB"
    )


def text(name: str, report: Report) -> list[str]:
    """What was measured, in lines."""
    if "skipped" in report:
        return [f"{name}: {report['skipped']}"]
    match name:
        case "ladder":
            lines = []
            for row in report["rows"]:
                beside = row["in_process"]
                more = f", CPU {number(row['cpu_ratio'])} times that of one process"
                more += f" ({number(beside['cpu_s_per_s'])} s/s, P99 {number(beside['p99_ms'])} ms)"
                lines.append(of_streams(f"{row['streams']} streams", row) + more)
            return lines
        case "network":
            return [of_streams(f"network {row['rtt_ms']} ms", row) for row in report["rows"]]
        case "batch":
            lines = [of_streams(f"{name} {which}", report[which]) for which in ("alone", "beside")]
            answered = report["beside"]["recordings"]
            return [*lines, f"{name}: P99 moves by {number(report['p99_moves_by_ms'])} ms; {answered}"]
        case "overload":
            lines = [of_streams(f"{name} {which}", report[which]) for which in ("full", "over")]
            refusal = report["over"]["refusal"]
            return [*lines, f"{name}: goodput {number(report['goodput_ratio'])} times; refusal {refusal}"]
        case _:
            return [f"{name}: {json.dumps(report)}"]


def measured(
    parser: argparse.ArgumentParser,
    measures: tuple[str, ...],
    kind: type[Measure],
    lines: Callable[[str, Report], list[str]],
) -> None:
    """Makes those of the `measures`, which are methods of `kind`, that the command line asks for,
    and prints each in `lines`."""
    parser.add_argument("--only", type=lambda it: it.split(","), default=list(measures))
    parser.add_argument("--programs", type=Path, default=ROOT / "target/release")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    arguments = parser.parse_args()
    found: dict[str, Report] = {}
    with tempfile.TemporaryDirectory() as folder:
        measure = kind(arguments, Path(folder))
        for name in arguments.only:
            if name not in measures:
                parser.error(f"--only: expected some of {', '.join(measures)}, got {name}")
            found[name] = getattr(measure, name)()
            print("\n".join(lines(name, found[name])), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    measures = ("start", "idle", "ladder", "recording", "batch", "overload", "network")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=lambda it: [int(n) for n in it.split(",")], default=[100, 200, 300])
    parser.add_argument(
        "--beside", type=int, default=150, help="streams beside recordings, and the capacity of overload"
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--toxiproxy")
    measured(parser, measures, Measure, text)


if __name__ == "__main__":
    main()
