"""Chooses the thresholds that are stored with the model: a grid, scored by the command line itself.

``python -m voiceflow_models.evaluation.tune --model FILE --recordings DIR [DIR ...]``

Every folder holds recordings (``.flac``) with their ``.rttm``. Never give it recordings kept for
testing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from pathlib import Path

import onnx

from .diarization import BINARY, ERRORS, rates, score


def with_settings(
    model: Path, out: Path, thresholds: dict[str, float], window_s: float, hop_s: float
) -> None:
    """A copy of the model with other thresholds, window and hop."""
    graph = onnx.load(model)
    for entry in graph.metadata_props:
        if entry.key == "voiceflow.thresholds":
            entry.value = json.dumps({**json.loads(entry.value), **thresholds})
        if entry.key == "voiceflow.window_samples":
            entry.value = str(int(window_s * 16_000))
        if entry.key == "voiceflow.hop_samples":
            entry.value = str(int(hop_s * 16_000))
    onnx.save(graph, out)


def main() -> None:
    """Prints DER with missed, false alarm and confusion for every point of the grid and every
    folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voiceflow", type=Path, default=BINARY, help="the command line binary")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, nargs="+", required=True)
    parser.add_argument("--onset", type=float, nargs="+", default=[0.5])
    parser.add_argument("--offset", type=float, nargs="+", default=[0.5])
    parser.add_argument("--clustering", type=float, nargs="+", default=[0.5])
    parser.add_argument("--window", type=float, nargs="+", default=[10.0], help="seconds")
    parser.add_argument("--hop", type=float, nargs="+", default=[0.5], help="share of the window")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        axes = (options.onset, options.offset, options.clustering, options.window, options.hop)
        for onset, offset, clustering, window, hop in itertools.product(*axes):
            model = scratch / "model.onnx"
            thresholds = {"onset": onset, "offset": offset, "clustering": clustering}
            with_settings(options.model, model, thresholds, window, window * hop)
            cells = []
            for recordings in options.recordings:
                total = rates(score(options.voiceflow, model, recordings, scratch / "hypotheses")["overall"])
                parts = "/".join(f"{100 * total[kind]:.1f}" for kind in ERRORS)
                cells.append(f"{recordings.name} {100 * total['der']:.1f} ({parts})")
            print(
                f"onset {onset} offset {offset} clustering {clustering} hop {hop}:  {'  '.join(cells)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
