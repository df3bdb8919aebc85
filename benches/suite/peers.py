"""Diarization with the default model beside sherpa-onnx with the two models given; see ../peers."""

import json
import os
import subprocess

from setting import ROOT, Setting

PEERS = ROOT / ".cache" / "peers"


def measure(setting: Setting) -> dict:
    """What ../peers/compare.py finds."""
    found = setting.scratch / "peers.json"
    subprocess.run(
        [
            str(PEERS / "venv" / "bin" / "python"),
            str(ROOT / "benches" / "peers" / "compare.py"),
            *("--segmentation", str(setting.segmentation), "--embedding", str(setting.embedding)),
            *("--contenders", "voiceflow:model=own", "sherpa-onnx"),
            *("--seconds", "600", "3600", "--rounds", "1"),
            *("--library", str(setting.prefix / "lib" / "libvoiceflow.so.1"), "--json", str(found)),
        ],
        env=os.environ | {"VOICEFLOW_ORT_LIBRARY": setting.runtime},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return json.loads(found.read_text())


def markdown(found: dict) -> str:
    """A row for each recording and contender."""
    lines = [
        "| recording | contender | seconds | times real time | over ours |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for row in found["summary"]:
        name = "libvoiceflow, default model" if row["contender"].startswith("voiceflow") else row["contender"]
        length = row["recording"].removeprefix("joined_").removesuffix("s")
        lines.append(
            f"| {length} s | {name} | {row['median_s']:.2f} | {row['times_real_time']:.0f} "
            f"| {row['ratio']:.0f} |"
        )
    return "\n".join(lines)
