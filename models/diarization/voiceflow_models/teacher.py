"""Soft labels from pyannote segmentation-3.0 (MIT), used at training time only.

Distillation: the teacher says what exact labels cannot, such as whether a far voice counts as a turn.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import onnxruntime

from .layout import FRAME_STEP, MAX_SPEAKERS, POWERSET

TEACHER_STEP = 270
TEACHER_CENTRE = 495.5
"""Frame k of the teacher is centred at sample 270 k + 495.5."""

CLASS_OF = {members: index for index, members in enumerate(POWERSET)}

MEMBERSHIP = np.array(
    [[speaker in members for speaker in range(MAX_SPEAKERS)] for members in POWERSET], float
)
"""[classes, speakers]: which speakers talk in a class."""


def permute_classes(order: tuple[int, ...]) -> list[int]:
    """For each class, the class of the same speakers once speaker ``s`` is renamed from ``order[s]``."""
    return [CLASS_OF[tuple(sorted(order[speaker] for speaker in members))] for members in POWERSET]


class Teacher:
    """Runs the teacher's ONNX file on one thread."""

    def __init__(self, path: Path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def classes(self, audio: np.ndarray, frames: int) -> np.ndarray:
        """Class probabilities [frames, 7] at 40 ms for audio [samples]."""
        scores = self._session.run(None, {self._input: audio[None, None, :].astype(np.float32)})[0][0]
        scores = scores - scores.max(axis=1, keepdims=True)
        probability = np.exp(scores)
        probability /= probability.sum(axis=1, keepdims=True)
        at = (np.arange(frames) + 0.5) * FRAME_STEP
        centres = np.arange(len(probability)) * TEACHER_STEP + TEACHER_CENTRE
        return np.stack([np.interp(at, centres, column) for column in probability.T], axis=1)


def align(classes: np.ndarray, activity: np.ndarray) -> np.ndarray:
    """Renames the teacher's speakers to those of the exact labels [frames, 3], by the best permutation."""
    speech = classes @ MEMBERSHIP
    best = min(
        permutations(range(MAX_SPEAKERS)), key=lambda order: np.sum((speech[:, list(order)] - activity) ** 2)
    )
    return classes[:, permute_classes(best)]
