"""How each toolkit lays out its ONNX files: tensor names, dynamic axes, opset, metadata.

From wespeaker's exporter, sherpa-onnx's conversions of 3D-Speaker, NeMo and pyannote models, and
NeMo's exporter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .families.resnet import BINS
from .inputs import audio_like_speech, features_like_speech, golden_audio, golden_features
from .segmentation import (
    CLASSES,
    FRAME_SHIFT,
    RECEPTIVE_FIELD,
    SAMPLE_RATE,
    SPEAKERS,
    SPEAKERS_AT_ONCE,
    WINDOW_SAMPLES,
)

Inputs = tuple[Tensor, ...]
Axes = dict[str, dict[int, str]] | dict[str, list[int]]

GOLDEN_SCALE = 2.0
"""Golden features lie in [-2, 2)."""


@dataclass(frozen=True)
class Toolkit:
    """The layout of one toolkit's files.

    ``noise(batch, length, generator)`` makes inputs like those of real speech and
    ``golden(length, seed)`` the repeatable ones of batch 1; ``length`` is a number of frames, or of
    samples for segmentation. ``result`` is the index of the output that holds the embedding or the
    classes, ``trace_length`` the length the exporter traces.
    """

    opset: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    axes: Axes
    metadata: dict[str, str]
    noise: Callable[[int, int, torch.Generator], Inputs]
    golden: Callable[[int, int], Inputs]
    trace_length: int = 200
    result: int = 0
    embeds: bool = True


def frames_first(batch: int, frames: int, generator: torch.Generator) -> Inputs:
    """Features [B, T, 80]."""
    return (features_like_speech(batch, frames, BINS, generator),)


def frames_first_golden(frames: int, seed: int) -> Inputs:
    """Golden features [1, T, 80]."""
    return (golden_features((1, frames, BINS), seed, GOLDEN_SCALE),)


def bins_first(batch: int, frames: int, generator: torch.Generator) -> Inputs:
    """Features [B, 80, T] of unit deviation and the lengths int64 [B], all of them T."""
    features = features_like_speech(batch, frames, BINS, generator)
    features = features / features.std(dim=1, keepdim=True)
    return features.transpose(1, 2).contiguous(), torch.full((batch,), frames, dtype=torch.int64)


def bins_first_golden(frames: int, seed: int) -> Inputs:
    """Golden features [1, 80, T] and their length."""
    return golden_features((1, BINS, frames), seed, GOLDEN_SCALE), torch.tensor([frames], dtype=torch.int64)


WESPEAKER = Toolkit(
    opset=14,
    inputs=("feats",),
    outputs=("embs",),
    axes={"feats": {0: "B", 1: "T"}, "embs": {0: "B"}},
    metadata={
        "framework": "wespeaker",
        "language": "English",
        "sample_rate": str(SAMPLE_RATE),
        "normalize_samples": "0",
    },
    noise=frames_first,
    golden=frames_first_golden,
)

SPEAKER_3D = Toolkit(
    opset=13,
    inputs=("x",),
    outputs=("embedding",),
    # The conversion misspells the output's name where it lists its axes, so that PyTorch names the
    # output's batch axis.
    axes={"x": {0: "N", 1: "T"}},
    metadata={
        "framework": "3d-speaker",
        "language": "English",
        "sample_rate": str(SAMPLE_RATE),
        "normalize_samples": "1",
        "feature_normalize_type": "global-mean",
    },
    noise=frames_first,
    golden=frames_first_golden,
)

SPEAKER_3D_BATCH_1 = Toolkit(
    opset=SPEAKER_3D.opset,
    inputs=SPEAKER_3D.inputs,
    outputs=SPEAKER_3D.outputs,
    axes={"x": {1: "T"}},
    metadata=SPEAKER_3D.metadata,
    noise=frames_first,
    golden=frames_first_golden,
)

NEMO = Toolkit(
    opset=16,
    inputs=("audio_signal", "length"),
    outputs=("logits", "embs"),
    # NeMo gives lists, from which PyTorch makes the axes' names.
    axes={"audio_signal": [0, 2], "length": [0], "logits": [0], "embs": [0]},
    metadata={
        "framework": "nemo",
        "language": "English",
        "sample_rate": str(SAMPLE_RATE),
        "feature_normalize_type": "per_feature",
        "window_size_ms": "25",
        "window_stride_ms": "10",
        "window_type": "hann",
        "feat_dim": str(BINS),
    },
    noise=bins_first,
    golden=bins_first_golden,
    result=1,
)

PYANNOTE = Toolkit(
    opset=15,
    inputs=("x",),
    outputs=("y",),
    axes={"x": {0: "N", 2: "T"}, "y": {0: "N", 1: "T"}},
    metadata={
        "num_speakers": str(SPEAKERS),
        "powerset_max_classes": str(SPEAKERS_AT_ONCE),
        "num_classes": str(CLASSES),
        "sample_rate": str(SAMPLE_RATE),
        "window_size": str(WINDOW_SAMPLES),
        "receptive_field_size": str(RECEPTIVE_FIELD),
        "receptive_field_shift": str(FRAME_SHIFT),
        "model_type": "pyannote-segmentation-3.0",
    },
    noise=lambda batch, samples, generator: (audio_like_speech(batch, samples, generator),),
    golden=lambda samples, seed: (golden_audio(samples, seed),),
    trace_length=WINDOW_SAMPLES,
    embeds=False,
)

PYANNOTE_BARE = Toolkit(
    opset=15,
    inputs=("input_values",),
    outputs=("logits",),
    axes={"input_values": {0: "batch_size", 2: "num_samples"}, "logits": {0: "batch_size", 1: "num_frames"}},
    metadata={},
    noise=PYANNOTE.noise,
    golden=PYANNOTE.golden,
    trace_length=WINDOW_SAMPLES,
    embeds=False,
)
