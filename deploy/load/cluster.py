"""A simulation of live streams on many servers: arrivals, a balancer that knows late who is full,
autoscaling, drains, and nodes that are lost. Time is simulated; what one server does is measured
(calibration.py), what the cluster around it does is assumed (Assumptions)."""

import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Assumptions:
    """What was not measured, in seconds unless said otherwise."""

    stream_s: float = 1200.0
    """Mean length of a stream; lengths are exponential."""
    probe_s: tuple[float, float] = (0.5, 3.0)
    """From a change of a pod's readiness until the balancer knows."""
    full_s: float = 10.0
    """Retry-After of a server without room, as the server has it."""
    draining_s: float = 5.0
    """The same of one that drains."""
    patience: tuple[float, float] = (1.0, 1.5)
    """How many times that a client waits: not all come again at once."""
    connect_s: float = 5.0
    """Until a client gives up on a node that does not answer."""
    silent_s: float = 20.0
    """Until the client of a stream on such a node knows."""
    node_gone_s: float = 50.0
    """Until Kubernetes knows, and starts pods elsewhere."""
    pod_s: tuple[float, float] = (10.0, 25.0)
    """From the wish for a pod until it is ready, on a node that there is."""
    scrape_s: float = 30.0
    """Age of the metric that the autoscaler sees."""
    autoscale_s: float = 15.0
    """Between two looks of the autoscaler."""
    drain_delay_s: float = 5.0
    drain_s: float = 72.0
    """In which a server ends its streams, one after another."""
    pods_a_node: int = 4


@dataclass(eq=False)
class Pod:
    node: int
    capacity: int
    state: str = "starting"  # then ready, draining, lost or gone
    streams: dict["Stream", None] = field(default_factory=dict)
    """In their order, so that a seed gives the same figures every time."""

    def takes(self) -> bool:
        return self.state == "ready" and len(self.streams) < self.capacity


@dataclass(eq=False)
class Stream:
    ends: float
    asked: float
    """Since when it waits to be let in."""
    again: bool = False
    """Whether it was cut before."""
    pod: Pod | None = None


@dataclass
class Seen:
    """What happened since the last reset."""

    waits: list[float] = field(default_factory=list)
    waits_again: list[float] = field(default_factory=list)
    refused: int = 0
    cut: int = 0
    lost: int = 0
    peak: float = 0.0
    """Highest share of a pod's capacity that was taken."""
    pod_seconds: float = 0.0
    most_pods: int = 0


class Cluster:
    """`pods` servers with room for `capacity` streams each."""

    def __init__(
        self, pods: int, capacity: int, balancer: str, seed: int = 1, assumed: Assumptions | None = None
    ) -> None:
        if balancer not in ("random", "least"):
            raise ValueError(f"balancer: expected random or least, got {balancer}")
        self.assumed = assumed or Assumptions()
        self.capacity, self.balancer = capacity, balancer
        self.random = random.Random(seed)
        self.now, self.seen = 0.0, Seen()
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.count = itertools.count()
        self.nodes = itertools.count()
        self.pods: list[Pod] = []
        self.known: list[Pod] = []  # whom the balancer takes for ready
        self.wanted = pods
        self.rate = 0.0
        for pod in [self.place() for _ in range(pods)]:
            pod.state = "ready"
            self.known.append(pod)

    # Time

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.count), do))

    def between(self, span: tuple[float, float]) -> float:
        return self.random.uniform(*span)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.events and self.events[0][0] <= end:
            at, _, do = heapq.heappop(self.events)
            alive = [pod for pod in self.pods if pod.state != "gone"]
            self.seen.pod_seconds += (at - self.now) * len(alive)
            self.now = at
            do()
        self.now = end

    # Streams

    def arrivals(self, streams: float) -> None:
        """Streams come so often that `streams` are under way in the long run; the first call begins
        with that many."""
        began, self.rate = self.rate > 0, streams / self.assumed.stream_s
        if began:
            return
        for _ in range(round(streams)):
            self.ask(self.new_stream())
        self.after(self.random.expovariate(self.rate), self.arrive)

    def new_stream(self) -> Stream:
        length = self.random.expovariate(1 / self.assumed.stream_s)
        return Stream(self.now + length, self.now)

    def arrive(self) -> None:
        self.ask(self.new_stream())
        self.after(self.random.expovariate(self.rate), self.arrive)

    def choose(self) -> Pod | None:
        if not self.known:
            return None
        if self.balancer == "least":
            return min(self.known, key=lambda pod: (len(pod.streams), self.random.random()))
        return self.random.choice(self.known)

    def ask(self, stream: Stream) -> None:
        """One attempt of a client."""
        pod = self.choose()
        if pod and pod.takes():
            (self.seen.waits_again if stream.again else self.seen.waits).append(self.now - stream.asked)
            stream.pod = pod
            pod.streams[stream] = None
            self.seen.peak = max(self.seen.peak, len(pod.streams) / pod.capacity)
            if not pod.takes():
                self.tell(pod)
            self.after(max(0.0, stream.ends - self.now), lambda: self.end(stream, pod))
            return
        self.seen.refused += 1
        if pod and pod.state == "lost":
            wait = self.assumed.connect_s
        elif pod and pod.state == "ready":
            wait = self.assumed.full_s * self.between(self.assumed.patience)
        else:
            wait = self.assumed.draining_s * self.between(self.assumed.patience)
        self.after(wait, lambda: self.ask(stream))

    def end(self, stream: Stream, pod: Pod) -> None:
        """Of its own accord, unless it was cut and is elsewhere by now."""
        if stream.pod is pod and stream in pod.streams:
            self.leave(stream, pod)

    def leave(self, stream: Stream, pod: Pod) -> None:
        full = not pod.takes()
        pod.streams.pop(stream, None)
        stream.pod = None
        if full and pod.takes():
            self.tell(pod)
        if pod.state == "draining" and not pod.streams:
            self.gone(pod)

    def come_again(self, stream: Stream) -> None:
        if stream.ends > self.now:
            stream.asked, stream.again = self.now, True
            self.ask(stream)

    # Pods

    def place(self) -> Pod:
        """A pod on the node with the least, or on a new one."""
        held: dict[int, int] = {}
        for pod in self.pods:
            if pod.state not in ("gone", "lost"):
                held[pod.node] = held.get(pod.node, 0) + 1
        free = [node for node, pods in held.items() if pods < self.assumed.pods_a_node]
        node = min(free, key=lambda node: held[node]) if free else next(self.nodes)
        pod = Pod(node, self.capacity)
        self.pods.append(pod)
        return pod

    def start(self) -> None:
        pod = self.place()

        def ready() -> None:
            if pod.state == "starting":
                pod.state = "ready"
                self.tell(pod)

        self.after(self.between(self.assumed.pod_s), ready)
        self.seen.most_pods = max(self.seen.most_pods, len(self.running()))

    def running(self) -> list[Pod]:
        return [pod for pod in self.pods if pod.state in ("starting", "ready")]

    def tell(self, pod: Pod) -> None:
        """The balancer learns, with a delay, whether the pod is ready."""

        def learn() -> None:
            if pod.state == "lost":
                return  # its last word stands until Kubernetes gives the node up
            if pod.takes() and pod not in self.known:
                self.known.append(pod)
            elif not pod.takes() and pod in self.known:
                self.known.remove(pod)

        self.after(self.between(self.assumed.probe_s), learn)

    def drain(self, pod: Pod) -> None:
        """As the server does it: refuses at once, then ends its streams, each at a time of its
        own."""
        pod.state = "draining"
        self.tell(pod)
        for stream in list(pod.streams):
            at = self.assumed.drain_delay_s + self.random.uniform(0, self.assumed.drain_s)

            def cut(stream: Stream = stream) -> None:
                if stream in pod.streams:
                    self.seen.cut += 1
                    self.leave(stream, pod)
                    self.come_again(stream)

            self.after(at, cut)
        if not pod.streams:
            self.gone(pod)

    def gone(self, pod: Pod) -> None:
        pod.state = "gone"
        self.pods.remove(pod)

    def lose(self, nodes: set[int]) -> None:
        """The nodes stop, and say nothing."""
        for pod in [pod for pod in self.pods if pod.node in nodes]:
            was, pod.state = pod.state, "lost"
            self.seen.lost += len(pod.streams)
            for stream in list(pod.streams):
                self.after(
                    self.between((0.5 * self.assumed.silent_s, self.assumed.silent_s)),
                    lambda stream=stream: self.come_again(stream),
                )
            pod.streams.clear()

            def given_up(pod: Pod = pod, was: str = was) -> None:
                self.gone(pod)
                if pod in self.known:
                    self.known.remove(pod)
                if was != "draining":
                    self.start()

            self.after(self.assumed.node_gone_s, given_up)

    # What operators do

    def rollout(self, surge: float = 0.25) -> None:
        """Each pod by a new one, with a surge, none less than there were."""
        old = deque(pod for pod in self.pods if pod.state == "ready")
        most = len(old) + math.ceil(surge * len(old))
        new: list[Pod] = []

        def step() -> None:
            made = [pod for pod in new if pod.state == "ready"]
            ready_old = [pod for pod in old if pod.state == "ready"]
            # Those that drain run too, but a Deployment counts them no more.
            while len(new) < len(old) and len(new) + len(ready_old) < most:
                self.start()
                new.append(self.pods[-1])
            for pod in ready_old[: max(0, len(made) + len(ready_old) - len(old))]:
                self.drain(pod)
            if any(pod.state in ("ready", "draining") for pod in old):
                self.after(2.0, step)

        step()

    def autoscale(self, target: float, least: int, most: int, down_after_s: float = 600.0) -> None:
        """The chart's HorizontalPodAutoscaler."""
        history: deque[tuple[float, float]] = deque()
        wishes: deque[tuple[float, int]] = deque()
        state = {"down": -math.inf, "up": -math.inf}

        def look() -> None:
            ready = [pod for pod in self.pods if pod.state == "ready"]
            if ready:
                history.append((self.now, sum(len(pod.streams) / pod.capacity for pod in ready) / len(ready)))
            while len(history) > 1 and history[1][0] <= self.now - self.assumed.scrape_s:
                history.popleft()
            pods = len(self.running())
            ratio = (history[0][1] if history else target) / target
            wish = pods if abs(ratio - 1) <= 0.1 else math.ceil(len(ready) * ratio)
            wish = min(most, max(least, wish))
            wishes.append((self.now, wish))
            while wishes[0][0] < self.now - down_after_s:
                wishes.popleft()
            if wish > pods and self.now - state["up"] >= 30:
                state["up"] = self.now
                for _ in range(min(wish - pods, max(4, math.ceil(pods / 2)))):
                    self.start()
            elif max(wish for _, wish in wishes) < pods and self.now - state["down"] >= 120:
                state["down"] = self.now
                self.drain(min(ready, key=lambda pod: len(pod.streams)))
            self.after(self.assumed.autoscale_s, look)

        look()

    def reset(self) -> Seen:
        """Begins to count anew; what was counted."""
        seen, self.seen = self.seen, Seen(most_pods=len(self.running()))
        return seen

    def under_way(self) -> int:
        return sum(len(pod.streams) for pod in self.pods)
