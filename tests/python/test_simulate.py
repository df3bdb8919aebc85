"""The simulation of many servers: that its model is the measured one, and that it does what is
known to happen."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "deploy/load"))

import calibration  # noqa: E402
import simulate  # noqa: E402
from cluster import Assumptions, Cluster  # noqa: E402

CAPACITY = 100


def cluster(pods: int, streams: float, balancer: str = "random") -> Cluster:
    made = Cluster(pods, CAPACITY, balancer)
    made.arrivals(streams)
    return made


def test_the_model_is_what_was_measured() -> None:
    loads, server = calibration.measured(), calibration.server()
    for load in loads:
        assert server.p99_ms(load.streams / calibration.CORES) == pytest.approx(load.p99_ms)
        memory = server.base_mb + server.memory_mb * load.streams
        assert memory == pytest.approx(load.memory_mb, rel=0.02)
        assert server.cpu_s * load.streams == pytest.approx(load.cpu_s_per_s, rel=0.1)
    assert server.p99_ms(loads[-1].streams) is None
    # The server lets about as many in as were measured to go well.
    assert server.capacity * calibration.CORES == pytest.approx(loads[-1].streams, rel=0.1)


def test_a_table_that_is_not_there_is_named() -> None:
    with pytest.raises(SystemExit, match=r"expected a table with the head \| streams"):
        calibration.measured("# Nothing\n")
    with pytest.raises(SystemExit, match="expected two or more rows of the server's table, found 1"):
        calibration.measured(f"{calibration.HEAD}\n| -: |\n| 100 | 4.7 | 3.6 | none | 0.54 | 0.42 | 192 |\n")
    with pytest.raises(SystemExit, match="expected the constant NONE"):
        calibration.constant("NONE", "work/capacity.rs")


def test_streams_come_and_go_as_often() -> None:
    made = cluster(20, 1000)
    counts = []
    for _ in range(40):
        made.run(100)
        counts.append(made.under_way())
    # Poisson with a mean of 1000, in the long run.
    assert sum(counts) / len(counts) == pytest.approx(1000, rel=0.05)
    assert made.seen.refused == 0 and made.seen.pod_seconds == pytest.approx(20 * 4000, rel=0.01)


def test_nobody_gets_more_than_fits() -> None:
    made = cluster(5, 600)
    made.run(600)
    assert all(len(pod.streams) <= CAPACITY for pod in made.pods)
    assert made.under_way() > 0.95 * 5 * CAPACITY and made.seen.refused > 0 and made.seen.peak == 1.0


def test_least_connections_are_evener_than_chance() -> None:
    peaks = {}
    for balancer in ("random", "least"):
        made = cluster(10, 600, balancer)
        made.run(600)
        peaks[balancer] = made.seen.peak
    assert peaks["least"] < 0.75 < peaks["random"]
    with pytest.raises(ValueError, match="balancer: expected random or least, got best"):
        Cluster(1, 1, "best")


def test_a_rollout_replaces_each_pod_and_loses_no_stream() -> None:
    made = cluster(8, 400)
    made.run(300)
    old = list(made.pods)
    made.reset()
    made.rollout()
    made.run(1200)
    assert all(pod.state == "gone" for pod in old)
    assert len(made.pods) == 8 and all(pod.state == "ready" for pod in made.pods)
    assert made.seen.most_pods == 10 and made.seen.cut > 200 and made.seen.lost == 0
    assert len(made.seen.waits_again) == pytest.approx(made.seen.cut, abs=3)


def test_what_a_lost_node_carried_comes_back_elsewhere() -> None:
    made = cluster(12, 600)
    made.run(300)
    node = made.pods[0].node
    carried = sum(len(pod.streams) for pod in made.pods if pod.node == node)
    made.reset()
    made.lose({node})
    made.run(300)
    assert made.seen.lost == carried > 0
    # All but those whose end came first.
    assert 0.9 * carried < len(made.seen.waits_again) <= carried
    assert len([pod for pod in made.pods if pod.state == "ready"]) == 12
    assert not any(pod.node == node for pod in made.pods)


def test_the_autoscaler_follows_the_load_up_at_once_and_down_slowly() -> None:
    made = cluster(4, 260)
    made.autoscale(0.7, 4, 20)
    made.run(900)
    before = len(made.running())
    made.arrivals(800)
    made.run(3000)
    grown = len(made.running())
    assert before <= 5 and 11 <= grown <= 14
    made.arrivals(260)
    made.run(600)
    assert len(made.running()) >= grown - 1
    made.run(7200)
    assert len(made.running()) <= 6 and made.seen.lost == 0


def test_the_same_seed_gives_the_same_figures() -> None:
    first, second = (cluster(5, 300) for _ in range(2))
    for made in (first, second):
        made.run(500)
        made.rollout()
        made.run(500)
    assert first.seen == second.seen and len(first.seen.waits) > 300 and first.seen.cut > 50


def test_the_page_has_the_tables_of_the_measured_server() -> None:
    text = simulate.PAGE.read_text()
    assert simulate.placed(text, "sizes", simulate.sizes(calibration.server())) == text
    assert Assumptions().drain_s == pytest.approx(0.8 * 90)
