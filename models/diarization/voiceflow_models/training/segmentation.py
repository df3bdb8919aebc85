"""Training segmentation-3.0 on: exact labels and what it says itself, in any order of speakers,
with SincNet as it is published.

All that is random in a step follows from seed and step, and everything is in the checkpoint: a run
that was broken off and resumed is the same run.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from voiceflow_public.segmentation import CLASSES, PyanNet

from ..networks import segmentation
from ..powerset import MEMBERSHIP, settle_identity
from ..teachers.segmentation import align
from .losses import ordered_cross_entropy, permuted

WARM_UP_STEPS = 50
AVERAGE_DECAY = 0.995
"""Of the exponential average of the weights, which is what is exported."""

DROPOUT = 0.15
"""Between the layers of the LSTM."""

LARGEST_GRADIENT = 1.0


class StretchPool:
    """Windows of ``data.stretches``, drawn without return until all were seen."""

    def __init__(self, folder: Path, seed: int):
        shards = sorted(folder.glob("shard-[0-9]*[0-9].npz"))
        if not shards:
            raise FileNotFoundError(
                f"{folder}: expected shards of voiceflow_models.data.stretches, found none"
            )
        stored = [np.load(path) for path in shards]
        self.features = np.concatenate([shard["features"] for shard in stored])
        self.classes = np.concatenate([shard["classes"] for shard in stored])
        self.faint = np.concatenate([shard["faint"] for shard in stored])
        self._seed = seed

    def draw(self, step: int, batch: int) -> tuple[Tensor, np.ndarray, np.ndarray]:
        """The batch of a step: features [batch, frames, channels], classes [batch, frames] and
        faint [batch]."""
        count = len(self.features)
        rounds, place = divmod(step * batch, count - count % batch)
        order = np.random.default_rng((self._seed, rounds)).permutation(count)
        rows = np.sort(order[place : place + batch])
        return torch.from_numpy(self.features[rows]).float(), self.classes[rows], self.faint[rows]


def targets(
    published: PyanNet, features: Tensor, classes: np.ndarray, faint: np.ndarray, share: float
) -> Tensor:
    """Soft classes [batch, frames, 7]: ``share`` of the labels, the rest of the published network.

    It says how many talk; whose voice that is, the labels. Of faint windows all is the labels'.
    """
    exact = np.eye(CLASSES)[classes]
    with torch.no_grad():
        soft = published.classes(features).exp().numpy()
    activity = MEMBERSHIP[classes] > 0
    settled = np.stack(
        [settle_identity(align(*pair), exact) for *pair, exact in zip(soft, activity, classes, strict=True)]
    )
    mixed = np.where(faint[:, None, None], exact, share * exact + (1 - share) * settled)
    return torch.from_numpy(mixed).float()


class Training:
    """The network, how far it has come, and where it is kept."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        options.out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(options.seed)
        self.published = segmentation.load(options.published).eval()
        self.network = segmentation.load(options.published)
        self.network.lstm.dropout = DROPOUT
        # SincNet's features are those of the shards.
        self.network.sincnet.requires_grad_(False)
        self.averaged = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY))
        self.trained = [weights for weights in self.network.parameters() if weights.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=options.rate, weight_decay=1e-3)
        self.pool = StretchPool(options.windows, options.seed)
        self.step = 0
        if options.resume and self.checkpoint.exists():
            state = torch.load(self.checkpoint, weights_only=True)
            for name in ("network", "averaged", "optimizer"):
                getattr(self, name).load_state_dict(state[name])
            self.step = state["step"]

    @property
    def checkpoint(self) -> Path:
        """Where the state is kept."""
        return self.options.out / "checkpoint.pt"

    def run(self) -> None:
        """Trains to the last step, or until the minutes are over, and writes the networks."""
        options, losses, begun = self.options, [], time.monotonic()
        self.network.train()
        while self.step < options.steps:
            losses.append(self._step())
            self.step += 1
            if self.step % options.report == 0:
                self._report(float(np.mean(losses)))
                losses.clear()
            over = options.minutes is not None and time.monotonic() - begun > options.minutes * 60
            if self.step % options.save == 0 or self.step == options.steps or over:
                self._save()
            if over:
                break

    def _step(self) -> float:
        options = self.options
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        rate = options.rate * warm * 0.5 * (1 + math.cos(math.pi * self.step / options.steps))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(int(np.random.SeedSequence((options.seed, self.step)).generate_state(1)[0]))
        features, classes, faint = self.pool.draw(self.step, options.batch)
        target = targets(self.published, features, classes, faint, options.labels)
        value = permuted(ordered_cross_entropy(self.network.classes(features), target))
        self.optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(self.trained, LARGEST_GRADIENT)
        self.optimizer.step()
        self.averaged.update_parameters(self.network)
        return value.item()

    def _report(self, mean: float) -> None:
        path = self.options.out / "curve.csv"
        new = not path.exists()
        with open(path, "a", newline="") as file:
            csv.writer(file).writerows([*([("step", "loss")] if new else []), (self.step, f"{mean:.4f}")])

    def _save(self) -> None:
        """Writes the checkpoint and the network, each whole or not at all."""
        state = {name: getattr(self, name).state_dict() for name in ("network", "averaged", "optimizer")}
        partial = self.checkpoint.with_suffix(".partial")
        torch.save({**state, "step": self.step}, partial)
        partial.rename(self.checkpoint)
        mixed = between(self.options.published, self.averaged.module, self.options.share)
        unfinished = self.options.out / "segmentation.partial"
        onnx.save(segmentation.save(mixed, self.options.published), unfinished)
        unfinished.rename(self.options.out / "segmentation.onnx")


def between(published: Path, trained: PyanNet, share: float) -> PyanNet:
    """Weights of which ``share`` is the trained network's and the rest the published one's.

    What was trained on simulated recordings alone keeps so what the published network knows of real
    ones (WiSE-FT, Wortsman et al., CVPR 2022).
    """
    mixed, goal = segmentation.load(published), trained.state_dict()
    mixed.load_state_dict({name: own.lerp(goal[name], share) for name, own in mixed.state_dict().items()})
    return mixed
