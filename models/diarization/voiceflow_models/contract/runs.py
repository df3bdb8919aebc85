"""What a model gives for sound: shapes, ranges, independence of what else is in the batch, golden
vector."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession

from ..export.golden import FORMAT, SAMPLES, golden_input
from .check import Check, expect
from .metadata import Facts

OUTPUTS = ["activity", "embedding"]

UNIT_TOLERANCE = 1e-3
"""How far from unit length an embedding may be."""

BATCH_TOLERANCE = 1e-3
"""How far a row may differ when it is run with others."""

GOLDEN_TOLERANCE = 1e-3
"""How far outputs may be from the golden vector where the file does not say: processors differ in
the order of their sums alone."""

NOISE_LEVEL = 0.1


def check_runs(session: InferenceSession, facts: Facts, recording: np.ndarray | None) -> list[Check]:
    """Silence, noise, the golden input, a loud click, odd lengths, and ``recording`` float32
    [samples]."""
    random = np.random.default_rng(7)

    def noise(batch: int, samples: int) -> np.ndarray:
        return (random.standard_normal((batch, samples)) * NOISE_LEVEL).clip(-1, 1).astype(np.float32)

    click = np.zeros((1, facts.window), np.float32)
    click[0, facts.window // 2] = 1
    sounds = {
        "silence": np.zeros((1, facts.window), np.float32),
        "a click": click,
        "the golden input": golden_input()[None],
        "one frame": noise(1, facts.frame_step),
        "an odd number of frames": noise(1, 3 * facts.frame_step),
        "a part of a frame more": noise(1, 4 * facts.frame_step + facts.frame_step // 2 + 1),
        "three windows of noise": noise(3, facts.window),
    }
    if recording is not None:
        sounds["the recording"] = recording[None, : facts.window]
    checks = [check for name, audio in sounds.items() for check in _check_run(session, facts, name, audio)]
    # A model that fails on some sound may not run here either.
    if all(check.breach is None for check in checks):
        checks.append(_check_batch(session, sounds["three windows of noise"]))
    return checks


def check_golden(session: InferenceSession, model: Path) -> list[Check]:
    """Against the golden vector beside the model; none where there is no file, or it is another
    model's."""
    own, path = model.with_suffix(".golden.json"), model.with_name("golden.json")
    if own.exists():
        path = own
    elif not path.exists():
        return []
    try:
        golden = json.loads(path.read_text())
        layout, owner = (golden["format"], golden["samples"]), golden["model_sha256"]
        tolerance = float(golden.get("tolerance", GOLDEN_TOLERANCE))
        known = {name: np.array(golden[name]["data"]).reshape(golden[name]["shape"]) for name in OUTPUTS}
    except (ValueError, KeyError, TypeError) as error:
        return [expect(path.name, False, "the outputs of the exporter", repr(error))]
    if owner != hashlib.sha256(model.read_bytes()).hexdigest():
        return []
    checks = [
        expect(f"{path.name}, format and samples", layout == (FORMAT, SAMPLES), (FORMAT, SAMPLES), layout)
    ]
    for name, found in zip(OUTPUTS, session.run(OUTPUTS, {"audio": golden_input()[None]}), strict=True):
        if known[name].shape != found[0].shape:
            checks.append(expect(f"golden `{name}`", False, f"shape {known[name].shape}", found[0].shape))
            continue
        far = float(np.abs(known[name] - found[0]).max())
        expected = f"the known values within {tolerance}"
        checks.append(expect(f"golden `{name}`", far <= tolerance, expected, f"a difference of {far:.3g}"))
    return checks


def _check_run(session: InferenceSession, facts: Facts, name: str, audio: np.ndarray) -> list[Check]:
    """Shapes and ranges of both outputs for one sound."""
    try:
        activity, embedding = session.run(OUTPUTS, {"audio": audio})
    except Exception as error:  # onnxruntime gives its failures no common class
        return [expect(f"run on {name}", False, f"outputs for shape {audio.shape}", error)]
    batch, samples = audio.shape
    shapes = ((batch, samples // facts.frame_step, facts.speakers), (batch, facts.speakers, facts.dim))
    found = (activity.shape, embedding.shape)
    if found != shapes:
        return [expect(f"shapes on {name}", False, shapes, found)]
    inside = bool(((activity >= 0) & (activity <= 1)).all())
    length = np.linalg.norm(embedding, axis=2)
    unit = (length == 0) | (np.abs(length - 1) <= UNIT_TOLERANCE)
    worst = length[~unit].max(initial=0)
    return [
        Check(f"shapes on {name}"),
        expect(f"activity on {name}", inside, "values from 0 to 1", _range(activity)),
        expect(f"embedding on {name}", bool(unit.all()), "length 1 or zeros", f"{worst:.4g}"),
    ]


def _check_batch(session: InferenceSession, windows: np.ndarray) -> Check:
    """A row gives the same alone as among others."""
    among = [output[:1] for output in session.run(OUTPUTS, {"audio": windows})]
    alone = session.run(OUTPUTS, {"audio": windows[:1]})
    far = max(float(np.abs(a - b).max()) for a, b in zip(among, alone, strict=True))
    expected = f"the same for a row alone and among others within {BATCH_TOLERANCE}"
    return expect("batch", far <= BATCH_TOLERANCE, expected, f"a difference of {far:.3g}")


def _range(values: np.ndarray) -> str:
    return f"{values.min():.4g} to {values.max():.4g}"
