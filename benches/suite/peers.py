"""Diarization beside peers that are given the same two models; see ../peers."""

import json
import os
import subprocess

from setting import ROOT, Setting

PEERS = ROOT / ".cache" / "peers"
OURS, PAIR, SPARSE = "voiceflow:model=own", "voiceflow:hop_s=1", "voiceflow"
SHERPA, CRATE = "sherpa-onnx", "diarization"
NAMES = {
    OURS: "libvoiceflow, default model",
    PAIR: "libvoiceflow, the two models, hop 1 s as theirs",
    SPARSE: "libvoiceflow, the two models, its own hop",
    SHERPA: "sherpa-onnx, the two models",
    CRATE: "crate diarization, the two models",
}
RUNS = {600: (OURS, PAIR, SPARSE, SHERPA, CRATE), 3600: (OURS, PAIR, SPARSE, SHERPA)}
"""Seconds of a recording, and the contenders for it; the crate would take ten minutes for an
hour."""


def measure(setting: Setting) -> dict:
    """What ../peers/compare.py finds of each recording."""
    return {str(seconds): compare(setting, seconds, contenders) for seconds, contenders in RUNS.items()}


def compare(setting: Setting, seconds: int, contenders: tuple[str, ...]) -> list[dict]:
    """A row for each contender."""
    found = setting.scratch / "peers.json"
    subprocess.run(
        [
            str(PEERS / "venv" / "bin" / "python"),
            str(ROOT / "benches" / "peers" / "compare.py"),
            *("--segmentation", str(setting.segmentation), "--embedding", str(setting.embedding)),
            *("--contenders", *contenders, "--seconds", str(seconds), "--rounds", "1"),
            *("--library", str(setting.prefix / "lib" / "libvoiceflow.so.1"), "--json", str(found)),
        ],
        env=os.environ | {"VOICEFLOW_ORT_LIBRARY": setting.runtime},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return json.loads(found.read_text())["summary"]


def markdown(found: dict) -> str:
    """A row for each recording and contender."""
    lines = [
        "| recording | contender | seconds | times real time | over our default | over ours, hop 1 s |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for seconds, rows in found.items():
        taken = {row["contender"]: row["median_s"] for row in rows}
        for row in rows:
            own = taken[row["contender"]]
            over = [f"{own / taken[ours]:.1f}" for ours in (OURS, PAIR)]
            name, speed = NAMES[row["contender"]], row["times_real_time"]
            lines.append(f"| {seconds} s | {name} | {own:.2f} | {speed:.3g} | {over[0]} | {over[1]} |")
    return "\n".join(lines)
