"""Where a model's time goes: ONNX Runtime's own profile, by operator type."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnxruntime

RUNS = 20
KERNEL = "_kernel_time"
CONTAINERS = ("If", "Loop", "Scan")
"""Their time holds that of the nodes inside, which are listed by themselves."""


def shares(path: Path, audio: np.ndarray) -> dict[str, float]:
    """Share of the time of one run on one thread by operator type, largest first; they sum to 1.

    Names are those of the optimized graph. A node's time is its median over the runs, so that the
    first one, which allocates, and interruptions do not count.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        for _ in range(RUNS):
            session.run(None, {name: audio})
        events = json.loads(Path(session.end_profiling()).read_text())
    nodes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(KERNEL):
            nodes[event["args"]["op_name"], event["name"]].append(event["dur"])
    kinds: dict[str, float] = defaultdict(float)
    for (kind, _), durations in nodes.items():
        if kind not in CONTAINERS:
            kinds[kind] += float(np.median(durations))
    total = sum(kinds.values())
    return {kind: time / total for kind, time in sorted(kinds.items(), key=lambda item: -item[1])}
