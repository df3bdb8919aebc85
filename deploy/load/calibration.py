"""What one server does, out of the figures of docs/PERFORMANCE.md: how many streams a core carries,
what they cost, and how late their segments are."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs/PERFORMANCE.md"
SERVER = ROOT / "server/src"

CORES = 2
"""Of the machine on which the server was measured."""

HEAD = (
    "| streams | P99, server ms | P99, client ms | late by 100 ms "
    "| CPU seconds a second | in process | memory MB |"
)


@dataclass(frozen=True)
class Load:
    """What was measured at one number of streams."""

    streams: int
    p99_ms: float
    cpu_s_per_s: float
    in_process_s_per_s: float
    memory_mb: float


def measured(text: str | None = None) -> list[Load]:
    """The table of the server, from few streams to many."""
    lines = (FIGURES.read_text() if text is None else text).splitlines()
    if HEAD not in lines:
        raise SystemExit(f"{FIGURES}: expected a table with the head {HEAD}, found none")
    found = []
    for line in lines[lines.index(HEAD) + 2 :]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 7:
            break
        streams, p99, _, _, cpu, in_process, memory = cells
        found.append(Load(int(streams), float(p99), float(cpu), float(in_process), float(memory)))
    if len(found) < 2:
        raise SystemExit(f"{FIGURES}: expected two or more rows of the server's table, found {len(found)}")
    return sorted(found, key=lambda load: load.streams)


def constant(name: str, path: str) -> float:
    """A number of the server's own source."""
    match = re.search(rf"const {name}: f64 = ([0-9.]+);", (SERVER / path).read_text())
    if not match:
        raise SystemExit(f"server/src/{path}: expected the constant {name}, found none")
    return float(match[1])


@dataclass(frozen=True)
class Server:
    """A server of one core, as far as it was measured. More cores are taken to do as much more."""

    capacity: float
    """Streams that are let in."""
    cpu_s: float
    """Time of a processor that a stream takes each second."""
    memory_mb: float
    """Of a stream."""
    base_mb: float
    """Of a server without streams."""
    curve: tuple[tuple[float, float], ...]
    """Streams of a core, and the P99 in ms from audio to its segments."""

    def p99_ms(self, streams: float) -> float | None:
        """At so many streams of a core; None beyond what was measured."""
        below = (0.0, self.curve[0][1])
        for point in self.curve:
            if streams <= point[0]:
                share = (streams - below[0]) / (point[0] - below[0])
                return below[1] + share * (point[1] - below[1])
            below = point
        return None


def server() -> Server:
    """From the measurements. The capacity is what src/work/capacity.rs makes of the time that a
    window takes."""
    loads = measured()
    least, most = loads[0], loads[-1]
    memory = (most.memory_mb - least.memory_mb) / (most.streams - least.streams)
    return Server(
        capacity=constant("SHARE", "work/capacity.rs") / (most.in_process_s_per_s / most.streams),
        cpu_s=most.cpu_s_per_s / most.streams,
        memory_mb=memory,
        base_mb=least.memory_mb - memory * least.streams,
        curve=tuple((load.streams / CORES, load.p99_ms) for load in loads),
    )
