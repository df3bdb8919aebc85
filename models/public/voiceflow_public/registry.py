"""The families by name: network, fixture sizes, file layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from .families.campplus import CamPlusPlus
from .families.ecapa import EcapaTdnn
from .families.eres2net import ERes2Net, ERes2NetV2
from .families.resnet import ResNet34
from .families.speakernet import SpeakerNet
from .families.titanet import TitaNet
from .segmentation import PyanNet
from .toolkits import NEMO, PYANNOTE, PYANNOTE_BARE, SPEAKER_3D, SPEAKER_3D_BATCH_1, WESPEAKER, Toolkit


@dataclass(frozen=True)
class Family:
    """One kind of file: ``build()`` makes the published network, ``build(**small)`` that of the
    fixtures."""

    build: Callable[..., nn.Module]
    small: dict[str, Any]
    toolkit: Toolkit


SMALL_CAMPPLUS = {"width": 16, "depth": (1, 2, 1), "dim": 16}
SMALL_NEMO = {"width": 8, "dim": 16, "speakers": 12, "longest": 2_048}
SMALL_PYANNET = {"filters": 8, "channels": 12, "hidden": 8, "linear": 16}

FAMILIES = {
    "wespeaker_resnet34": Family(ResNet34, {"width": 3, "depth": (1, 1, 1, 1), "dim": 16}, WESPEAKER),
    "wespeaker_ecapa": Family(EcapaTdnn, {"width": 8, "bottleneck": 8, "dim": 16}, WESPEAKER),
    "campplus": Family(CamPlusPlus, SMALL_CAMPPLUS, SPEAKER_3D),
    "campplus_batch1": Family(CamPlusPlus, SMALL_CAMPPLUS, SPEAKER_3D_BATCH_1),
    "eres2net": Family(ERes2Net, {"width": 2, "depth": (1, 1, 1, 1), "dim": 12}, SPEAKER_3D),
    "eres2netv2": Family(ERes2NetV2, {"width": 3, "depth": (1, 1, 1, 1), "dim": 8}, SPEAKER_3D),
    "titanet": Family(TitaNet, SMALL_NEMO | {"bottleneck": 8}, NEMO),
    "speakernet": Family(SpeakerNet, SMALL_NEMO | {"tail": 24}, NEMO),
    "segmentation": Family(PyanNet, SMALL_PYANNET, PYANNOTE),
    "segmentation_no_metadata": Family(PyanNet, SMALL_PYANNET, PYANNOTE_BARE),
}
