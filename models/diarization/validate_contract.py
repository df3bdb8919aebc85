"""Checks a model file against the model contract:
``validate_contract.py FILE [--audio RECORDING]``.

Prints a line for each rule. The rules come in classes (metadata, tensors, runs, golden vector); the
first class with a breach ends the check with status 1, since what follows builds on it.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from voiceflow_models.contract.check import Check
from voiceflow_models.contract.metadata import check_metadata
from voiceflow_models.contract.runs import check_golden, check_runs
from voiceflow_models.contract.tensors import check_tensors
from voiceflow_models.layout import SAMPLE_RATE


def classes(model: Path, recording: np.ndarray | None) -> Iterator[tuple[str, list[Check]]]:
    """Each class of rules when its turn comes."""
    session = open_model(model)
    facts, checks = check_metadata(session.get_modelmeta().custom_metadata_map)
    yield "metadata", checks
    yield "tensors", check_tensors(session.get_inputs(), session.get_outputs(), facts)
    yield "runs", check_runs(session, facts, recording)
    yield "golden vector", check_golden(session, model)


def open_model(model: Path) -> onnxruntime.InferenceSession:
    """The model, ready to run."""
    if not model.is_file():
        raise SystemExit(f"{model}: no such file")
    try:
        return onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime gives its failures no common class
        raise SystemExit(f"{model}: expected an ONNX model that runs here: {error}") from None


def read(path: Path) -> np.ndarray:
    """A recording as float32 [samples]: 16 kHz, one channel."""
    import soundfile

    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if (rate, audio.shape[1]) != (SAMPLE_RATE, 1):
        raise SystemExit(
            f"{path}: expected one channel at {SAMPLE_RATE} Hz, found {audio.shape[1]} at {rate} Hz"
        )
    return audio[:, 0]


def main() -> None:
    """Checks and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--audio", type=Path, help="a recording to run the model on too: 16 kHz, one channel")
    options = parser.parse_args()
    recording = read(options.audio) if options.audio else None
    for name, checks in classes(options.model, recording):
        print(f"{name}: {len(checks)} rules" if checks else f"{name}: none beside the model")
        for check in checks:
            print(f"  {check}")
        broken = sum(check.breach is not None for check in checks)
        if broken:
            raise SystemExit(f"{options.model}: breaks the model contract, {name}: {broken} of {len(checks)}")
    print(f"{options.model}: keeps the model contract")


if __name__ == "__main__":
    main()
