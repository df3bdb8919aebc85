"""pyannote segmentation-3.0 (MIT) as it is published, used at training time only: soft labels, and
SincNet's features for training the layers above it.

Distillation: the teacher says what exact labels cannot, such as whether a far voice counts as a
turn.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from ..layout import FRAME_STEP, MAX_SPEAKERS
from ..powerset import MEMBERSHIP, permute_classes

TEACHER_STEP = 270
TEACHER_CENTRE = 495.5
"""Frame k of the teacher is centred at sample 270 k + 495.5."""


class SegmentationTeacher:
    """Runs the teacher's ONNX file on one thread."""

    def __init__(self, path: Path):
        self._session = _session(path.read_bytes())
        self._input = self._session.get_inputs()[0].name

    def classes(self, audio: np.ndarray, frames: int) -> np.ndarray:
        """Class probabilities [batch, frames, 7] at 40 ms for audio [batch, samples]."""
        scores = self._session.run(None, {self._input: audio[:, None, :].astype(np.float32)})[0]
        probability = np.exp(scores - scores.max(axis=2, keepdims=True))
        probability /= probability.sum(axis=2, keepdims=True)
        at = ((np.arange(frames) + 0.5) * FRAME_STEP - TEACHER_CENTRE) / TEACHER_STEP
        at = np.clip(at, 0, probability.shape[1] - 1)
        before = np.minimum(at.astype(int), probability.shape[1] - 2)
        share = (at - before)[None, :, None]
        return (1 - share) * probability[:, before] + share * probability[:, before + 1]


def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])


def window_features(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """What gives SincNet's features [frames, channels] of a window [samples]."""
    model = onnx.load(path)
    sincnet = [node for node in model.graph.node if node.op_type == "LeakyRelu" and "sincnet" in node.name]
    last = sincnet[-1].output[0]
    del model.graph.output[:]
    # What lies above is not run: nothing asks for it.
    model.graph.output.append(
        helper.make_tensor_value_info(last, TensorProto.FLOAT, ["N", "channels", "frames"])
    )
    session = _session(model.SerializeToString())
    name = session.get_inputs()[0].name
    return lambda window: session.run(None, {name: window[None, None].astype(np.float32)})[0][0].T


def align(classes: np.ndarray, activity: np.ndarray) -> np.ndarray:
    """Renames the teacher's speakers to those of the exact labels [frames, 3], by the best
    permutation."""
    speech = classes @ MEMBERSHIP
    best = min(
        permutations(range(MAX_SPEAKERS)), key=lambda order: np.sum((speech[:, list(order)] - activity) ** 2)
    )
    return classes[:, permute_classes(best)]
