"""The golden vector beside a model: one fixed input and what the model gives for it.

The library computes the same input (src/model/golden.rs) and compares when it loads the model,
which catches a runtime that computes wrong results on some processor. The input, two seconds at 16
kHz, all in double precision and rounded to float32 at the end:

    state(0) = 1,  state(i+1) = (1664525 * state(i) + 1013904223) mod 2^32
    noise(i) = floor(state(i+1) / 2^8) / 2^24 * 2 - 1
    buzz(i)  = (i mod 128) / 64 - 1               a sawtooth of 125 Hz, the pitch of a low voice
    gate(i)  = 1 if floor(i / 3200) is even else 0  syllables of 0.2 s
    x(i)     = 0.05 * noise(i) + 0.2 * buzz(i) * gate(i)
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

FORMAT = 1
SAMPLES = 32000


def golden_path(model: Path) -> Path:
    """Where the golden vector of a model lies: `golden.json` for the main one of a folder,
    `model.onnx`."""
    return model.with_name("golden.json") if model.name == "model.onnx" else model.with_suffix(".golden.json")


def golden_input() -> np.ndarray:
    """The input, float32 [SAMPLES]."""
    state, noise = 1, np.empty(SAMPLES)
    for i in range(SAMPLES):
        state = (1664525 * state + 1013904223) % 2**32
        noise[i] = (state >> 8) / 2**24 * 2 - 1
    i = np.arange(SAMPLES)
    buzz = (i % 128) / 64 - 1
    gate = (i // 3200) % 2 == 0
    return (0.05 * noise + 0.2 * buzz * gate).astype(np.float32)


def write_golden(onnx_path: str | Path, json_path: str | Path, tolerance: float = 1e-3) -> None:
    """Runs the model on the golden input with ONNX Runtime on the CPU and writes what it gives.

    ``tolerance`` is the largest difference that other processors may have from it.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(onnx_path), providers=["CPUExecutionProvider"])
    activity, embedding = session.run(["activity", "embedding"], {"audio": golden_input()[None]})
    golden = {
        "format": FORMAT,
        "samples": SAMPLES,
        "tolerance": tolerance,
        "model_sha256": hashlib.sha256(Path(onnx_path).read_bytes()).hexdigest(),
        "activity": {"shape": list(activity[0].shape), "data": activity[0].ravel().astype(float).tolist()},
        "embedding": {"shape": list(embedding[0].shape), "data": embedding[0].ravel().astype(float).tolist()},
    }
    partial = f"{json_path}.part"
    Path(partial).write_text(json.dumps(golden) + "\n")
    os.replace(partial, json_path)


if __name__ == "__main__":
    import sys

    write_golden(*sys.argv[1:3])
