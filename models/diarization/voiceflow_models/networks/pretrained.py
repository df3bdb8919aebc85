"""A WavLM, Wav2Vec2 or kindred encoder of the ``transformers`` package: raw audio in, 40 ms frames
out.

WavLM: Chen et al., IEEE JSTSP 2022. Wav2Vec2: Baevski et al., NeurIPS 2020. All layers are averaged
by learned weights, as the SUPERB benchmark does (Yang et al., Interspeech 2021): voices are
separated by other layers than words.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .frontend import HOP_SAMPLES

UNUSED = {"apply_spec_augment": False, "mask_time_prob": 0.0, "mask_feature_prob": 0.0, "layerdrop": 0.0}
"""Masked stretches would be labelled all the same, and a dropped layer has no state to be
averaged."""


def read_settings(folder: Path) -> dict:
    """What :class:`Pretrained` has to know of an encoder that lies in a folder."""
    transformers = package()
    if not (folder / "config.json").is_file():
        raise SystemExit(f"{folder}: expected the folder of a transformers model, found no config.json")
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    for name in ("conv_kernel", "conv_stride", "num_hidden_layers", "hidden_size"):
        if not hasattr(config, name):
            raise SystemExit(
                f"{folder}: expected an encoder of audio such as wavlm or wav2vec2, found {config.model_type}"
            )
    if math.prod(config.conv_stride) != HOP_SAMPLES:
        step = math.prod(config.conv_stride)
        raise SystemExit(f"{folder}: expected frames {HOP_SAMPLES} samples apart, found {step}")
    if getattr(config, "add_adapter", False):
        raise SystemExit(f"{folder}: expected an encoder without adapter, found add_adapter")
    preprocessor = folder / "preprocessor_config.json"
    if preprocessor.is_file():
        normalize = bool(json.loads(preprocessor.read_text()).get("do_normalize", True))
    else:
        # Those with layer norms in the convolutions were trained on normalized audio, most others
        # were not.
        normalize = config.feat_extract_norm == "layer"
    return {"normalize": normalize, "config": {**json.loads(config.to_json_string()), **UNUSED}}


class Pretrained(nn.Module):
    """[batch, samples] -> [batch, samples / 640, width]; the weights are random unless a folder is
    given."""

    def __init__(self, settings: dict, folder: Path | None = None):
        super().__init__()
        transformers = package()
        stored = dict(settings["config"])
        config = transformers.AutoConfig.for_model(stored.pop("model_type"), **stored)
        if folder is None:
            self.model = transformers.AutoModel.from_config(config).float()
        else:
            model, report = transformers.AutoModel.from_pretrained(
                folder, config=config, local_files_only=True, output_loading_info=True
            )
            if report["missing_keys"]:
                raise SystemExit(
                    f"{folder}: expected all weights, found none for {sorted(report['missing_keys'])}"
                )
            self.model = model.float()
        # What all of speech has in common was learned from more of it than any training here sees.
        self.model.feature_extractor._freeze_parameters()
        self.width = config.hidden_size
        self.normalize = settings["normalize"]
        self.layer_weights = nn.Parameter(torch.zeros(config.num_hidden_layers + 1))
        self.margins = _margins(config.conv_kernel, config.conv_stride)

    def forward(self, audio: Tensor) -> Tensor:
        audio = audio[:, : audio.shape[1] // HOP_SAMPLES * HOP_SAMPLES]
        if self.normalize:
            centred = audio - audio.mean(dim=1, keepdim=True)
            audio = centred * torch.rsqrt((centred * centred).mean(dim=1, keepdim=True) + 1e-7)
        found = self.model(F.pad(audio, self.margins), output_hidden_states=True)
        # Of some encoders only the last state is behind their final layer norm.
        states = torch.stack([*found.hidden_states[:-1], found.last_hidden_state], dim=3)
        mean = torch.matmul(states, torch.softmax(self.layer_weights, dim=0))
        return F.avg_pool1d(mean.transpose(1, 2), 2).transpose(1, 2)


def _margins(kernels: list[int], strides: list[int]) -> tuple[int, int]:
    """Zeros before and after that give a frame for every 320 samples, centred in them."""
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field, step = field + (kernel - 1) * step, step * stride
    return (field - step) // 2, field - step - (field - step) // 2


def package():
    """The package ``transformers``, which only these networks need."""
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        # Where it is installed transformers imports it, which fails when it was built for another
        # PyTorch. No encoder here needs it; None says that it is not there.
        sys.modules["torchaudio"] = None
    try:
        import transformers
    except ImportError as error:
        raise SystemExit(f"a pretrained encoder needs the package transformers: {error}") from error
    return transformers
