#!/usr/bin/env python3
"""Live streams over many servers, simulated: the tables of docs/SCALING.md.

deploy/load/simulate.py               # prints the tables
deploy/load/simulate.py --write       # writes them into docs/SCALING.md
deploy/load/simulate.py --check       # fails where the document has others
deploy/load/simulate.py --streams 2000 --cores 8
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

from calibration import Server, server
from cluster import Cluster, Seen

PAGE = Path(__file__).parents[2] / "docs/SCALING.md"
TARGET = 0.7  # of autoscaling, as the chart has it
SPARE = 0.45  # a target that leaves room for the streams of a zone
STREAMS = 10_000
SETTLE_S = 900  # until the beginning is forgotten
ZONES = 3


def pods_for(streams: float, capacity: int, target: float = TARGET) -> int:
    return math.ceil(streams / (target * capacity))


def quantile(values: list[float], share: float) -> float:
    """Of sorted values, by rank; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["--", *["-:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def sizes(measured: Server) -> str:
    """How much of what a number of streams needs."""
    rows = []
    for streams in (100, 1_000, 10_000, 100_000):
        cores = streams / (TARGET * measured.capacity)
        row = [f"{streams:,}", f"{cores:.1f}", f"{streams * measured.cpu_s:.1f}"]
        for size in (2, 4, 8, 16):
            pods = pods_for(streams, int(measured.capacity * size))
            row.append(f"{pods:,} × {pod_mb(measured, size) / 1000:.1f} GB")
        rows.append(row)
    heads = [f"pods of {size} cores" for size in (2, 4, 8, 16)]
    return table(["streams", "cores to have", "cores busy", *heads], rows)


def pod_mb(measured: Server, cores: int) -> float:
    """Memory of a full pod, streams alone."""
    return measured.base_mb + measured.memory_mb * int(measured.capacity * cores)


def steady(cluster: Cluster) -> None:
    cluster.run(1800)


def rollout(cluster: Cluster) -> None:
    cluster.rollout()
    cluster.run(3600)


def maintenance(cluster: Cluster) -> None:
    """Each node is emptied once, pod after pod."""
    nodes = sorted({pod.node for pod in cluster.pods})
    for node in nodes:
        for pod in [pod for pod in cluster.pods if pod.node == node and pod.state == "ready"]:
            cluster.start()
            cluster.drain(pod)
            cluster.run(cluster.assumed.drain_delay_s + cluster.assumed.drain_s + 5)
    cluster.run(300)


def node_loss(cluster: Cluster) -> None:
    cluster.lose({cluster.pods[0].node})
    cluster.run(900)


def zone_loss(cluster: Cluster) -> None:
    cluster.lose({pod.node for pod in cluster.pods if pod.node % ZONES == 0})
    cluster.run(1800)


def crowd(cluster: Cluster) -> None:
    """Half as many again within five minutes, and back after half an hour."""
    now = cluster.rate * cluster.assumed.stream_s
    length = cluster.assumed.stream_s
    cluster.autoscale(TARGET, len(cluster.pods), 2 * len(cluster.pods))
    # In five minutes come the streams of the half more, beside those that always come.
    cluster.arrivals(now + 0.5 * now * length / 300)
    cluster.run(300)
    cluster.arrivals(1.5 * now)
    cluster.run(1800)
    cluster.arrivals(now)
    cluster.run(3600)


# What happens, and for which utilization there are pods.
Scenario = tuple[Callable[[Cluster], None], float]
SCENARIOS: dict[str, Scenario] = {
    "half an hour of nothing else": (steady, TARGET),
    "a rollout, surge 25 %": (rollout, TARGET),
    "each node emptied, pod after pod": (maintenance, TARGET),
    "a node of four pods is lost": (node_loss, TARGET),
    "a zone of three is lost": (zone_loss, TARGET),
    f"the same with pods for {SPARE}": (zone_loss, SPARE),
    "half as many again in 5 min, autoscaled": (crowd, TARGET),
}


def simulated(cores: int, streams: int, balancer: str, scenario: Scenario, measured: Server) -> Cluster:
    """The cluster after the scenario, what was seen before it forgotten."""
    capacity = int(measured.capacity * cores)
    happens, target = scenario
    cluster = Cluster(pods_for(streams, capacity, target), capacity, balancer)
    cluster.arrivals(streams)
    cluster.run(SETTLE_S)
    cluster.reset()
    happens(cluster)
    return cluster


def outcome(seen: Seen, pods: int, cores: int, capacity: int, measured: Server) -> list[str]:
    attempts = len(seen.waits) + len(seen.waits_again)
    at_once = sum(wait == 0 for wait in seen.waits + seen.waits_again) / attempts
    late = measured.p99_ms(seen.peak * capacity / cores)
    again = (
        f"{quantile(seen.waits_again, 0.99):.0f}; {max(seen.waits_again):.0f}" if seen.waits_again else "-"
    )
    return [
        f"{pods}, {seen.most_pods}",
        f"{100 * at_once:.2f}",
        f"{quantile(seen.waits, 0.99):.0f}; {max(seen.waits, default=0):.0f}",
        f"{seen.cut:,}",
        f"{seen.lost:,}",
        again,
        f"{100 * seen.peak:.0f}",
        "beyond" if late is None else f"{late:.0f}",
    ]


def outcomes(cores: int, streams: int, measured: Server) -> str:
    capacity = int(measured.capacity * cores)
    rows = []
    for balancer in ("random", "least"):
        for name, scenario in SCENARIOS.items():
            cluster = simulated(cores, streams, balancer, scenario, measured)
            cells = outcome(cluster.seen, cluster.wanted, cores, capacity, measured)
            rows.append([f"{balancer}: {name}", *cells])
    head = ["balancer, what happens", "pods, most", "let in at once %", "wait P99; longest s"]
    head += [
        "cut by drains",
        "lost with nodes",
        "back after, P99; longest s",
        "fullest pod %",
        "P99 there ms",
    ]
    return table(head, rows)


def section(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->\n", f"<!-- end of {name} -->"


def placed(text: str, name: str, content: str) -> str:
    begin, end = section(name)
    if begin not in text or end not in text:
        raise SystemExit(f"{PAGE}: expected a part <!-- {name} -->, found none")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{content}\n{end}{rest.partition(end)[2]}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--cores", type=int, default=4, help="of a pod")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if arguments.streams < 1 or arguments.cores < 1:
        parser.error(f"expected 1 or more streams and cores, got {arguments.streams} and {arguments.cores}")
    measured = server()
    parts = {"sizes": sizes(measured), "outcomes": outcomes(arguments.cores, arguments.streams, measured)}
    if not (arguments.write or arguments.check):
        print("\n".join(parts.values()))
        return
    old = new = PAGE.read_text()
    for name, content in parts.items():
        new = placed(new, name, content)
    if arguments.write:
        PAGE.write_text(new)
    elif old != new:
        sys.exit(f"{PAGE}: expected the tables that deploy/load/simulate.py writes, found others")


if __name__ == "__main__":
    main()
