"""Pruning with distillation: a voice trunk made smaller in steps, each taught by the published
network.

A stage prunes what the one before it left, measures its norms anew, and learns from
``training.crops``. All that is random in a step follows from seed and step, and everything is in
the checkpoint: a run that was broken off goes on as if it had not been.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..data.shards import shards
from ..evaluation.within import Stretches, equal_error, stretches
from ..networks.voice_trunk import VoiceTrunk, Widths, second_means, uniform
from ..teachers.campplus import features
from .pruning import measure, settle_norms, shrink

STAGES = (
    uniform(24, 128, (8, 16, 10), 112, 32, whole_crop=False),
    uniform(16, 112, (6, 11, 8), 80, 32, whole_crop=False, segment=50),
    uniform(16, 96, (4, 8, 6), 64, 32, whole_crop=False, segment=50, halving=0),
)
"""What is left after each step of pruning; EXPERIMENTS.md has what each costs."""

STAGE_SHARES = (0.15, 0.25, 0.6)
"""How the steps of a run are shared among the stages."""

IMPORTANCE_BATCHES = 4
NORM_BATCHES = 8
WARM_UP_STEPS = 100
FINAL_SHARE = 0.02
"""The learning rate of a stage ends at this share of its peak."""

CLEAN_SHARE = 0.5
"""Of the teacher's embedding of the clean speech in the target, beside that of what was
recorded."""

LIKENESS_WEIGHT = 1.0
FRAMES_WEIGHT = 0.3
COLOUR_DEVIATION = 0.25
"""Of random offsets of the bands, in nats: the mean that was subtracted may be that of other
speech."""

AVERAGE_DECAY = 0.995
EVALUATION_LENGTHS_S = (1.0, 2.0)


@dataclass
class Crops:
    """A batch: features [B, T, 80], the target [B, 192], and the teacher's stages
    [B, C, seconds]."""

    features: Tensor
    target: Tensor
    stages: list[Tensor]


class CropPool:
    """Batches from a folder of shards, each of one length; the folder may grow."""

    def __init__(self, folder: Path, batch: int, seed: int):
        self._folder, self._batch, self._seed = folder, batch, seed

    def draw(self, step: int) -> Crops:
        """The batch of a step: the same whenever the same shards are there."""
        random = np.random.default_rng((self._seed, step))
        found = shards(self._folder)
        if not found:
            raise FileNotFoundError(
                f"{self._folder}: expected shards of voiceflow_models.training.crops, found none"
            )
        shard = found[random.integers(len(found))]
        arrays = {path.stem: np.load(path, mmap_mode="r") for path in shard.glob("*.npy")}
        rows = np.sort(random.permutation(len(arrays["features"]))[: self._batch])
        taken = {name: torch.from_numpy(np.array(values[rows])) for name, values in arrays.items()}
        clean, recorded = (F.normalize(taken[name], dim=1) for name in ("clean", "heard"))
        colour = random.standard_normal((len(rows), 1, 80)) * COLOUR_DEVIATION
        return Crops(
            taken["features"].float() + torch.from_numpy(colour).float(),
            F.normalize(CLEAN_SHARE * clean + (1 - CLEAN_SHARE) * recorded, dim=1),
            [taken[f"stage{index}"].float() for index in range(3)],
        )

    def features(self, count: int, first: int) -> Iterator[Tensor]:
        """Features of ``count`` batches."""
        return (self.draw(step).features for step in range(first, first + count))


def losses(network: VoiceTrunk, crops: Crops, kept: list[Tensor]) -> dict[str, Tensor]:
    """What a batch costs: distance of embeddings, of their likenesses among each other, and of
    frames.

    ``kept`` are the channels of the published network that each transit still has.
    """
    stages = network.stages(crops.features)
    unit = F.normalize(network.pooled(stages[-1]), dim=1)
    distance = (1 - (unit * crops.target).sum(dim=1)).mean()
    likeness = (unit @ unit.T - crops.target @ crops.target.T).square().mean()
    apart = []
    for stage, taught, channels in zip(stages, crops.stages, kept, strict=True):
        expected = taught[:, channels]
        scale = expected.std(dim=(0, 2), keepdim=True) + 1e-3
        apart.append(((second_means(stage) - expected) / scale).square().clamp(max=25).mean())
    frames = torch.stack(apart).mean()
    total = distance + LIKENESS_WEIGHT * likeness + FRAMES_WEIGHT * frames
    return {"total": total, "distance": distance, "likeness": likeness, "frames": frames}


def rate_at(step: int, first: int, last: int, peak: float) -> float:
    """The learning rate of a step in a stage from ``first`` to ``last``: a warm-up, then a
    cosine."""
    done = (step - first) / max(last - first, 1)
    cosine = FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return peak * cosine * min(1.0, (step - first + 1) / WARM_UP_STEPS)


class Distillation:
    """A student, how far it has come, and what it is measured on."""

    def __init__(
        self,
        options: argparse.Namespace,
        teacher: Callable[[], VoiceTrunk],
        plan: tuple[Widths, ...] = STAGES,
        shares: tuple[float, ...] = STAGE_SHARES,
    ):
        """Begins with ``teacher()``, or goes on from the checkpoint where ``options.resume`` says
        so."""
        self.options, self.plan = options, plan
        self.pool = CropPool(options.crops, options.batch, options.seed)
        self.ends = [round(options.steps * share) for share in np.cumsum(shares)]
        self.step, self.seconds = 0, 0.0
        options.out.mkdir(parents=True, exist_ok=True)
        if options.resume and self.checkpoint.exists():
            self._restore()
        else:
            self.stage = -1
            self.network = teacher()
            self.kept = [torch.arange(left) for left in self.network.widths.transits]
            self._next_stage()
        self.cuts: dict[float, Stretches] = {}
        if options.recordings is not None:
            self.cuts = {length: stretches(options.recordings, length) for length in EVALUATION_LENGTHS_S}

    @property
    def checkpoint(self) -> Path:
        """Where the state is kept."""
        return self.options.out / "checkpoint.pt"

    def run(self) -> None:
        """Trains to the end of the steps, or of ``--minutes``; leaves a checkpoint either way."""
        options = self.options
        begun, before = time.monotonic(), self.seconds
        # Pruning takes a while: a run that is broken off soon has it behind it.
        self._save()
        while self.step < options.steps:
            if self.step >= self.ends[self.stage]:
                self._next_stage()
            row = self._train()
            self.step += 1
            self.seconds = before + time.monotonic() - begun
            if self.step % options.report == 0:
                self._report("curve.csv", row)
            if self.step % options.save == 0:
                self._save()
            if self.cuts and self.step % options.evaluate == 0:
                self._report("evaluation.csv", self.evaluate())
            if options.minutes is not None and self.seconds - before >= 60 * options.minutes:
                break
        self._save()

    def evaluate(self) -> dict[str, float]:
        """The equal error rate within recordings by length of stretch, of the averaged student."""
        network = self.averaged.module.eval()

        def encode(audio: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                return network(features(audio)[None])[0].numpy()

        return {f"eer_{length:g}s": equal_error(encode, cuts) for length, cuts in self.cuts.items()}

    def _train(self) -> dict[str, float]:
        first = self.ends[self.stage - 1] if self.stage else 0
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, first, self.ends[self.stage], self.options.rate)
        self.network.train()
        # The mean embedding is not that of a few crops.
        self.network.norm.eval()
        found = losses(self.network, self.pool.draw(self.step), self.kept)
        self.optimizer.zero_grad()
        found["total"].backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.averaged.update_parameters(self.network)
        return {name: value.item() for name, value in found.items()}

    def _next_stage(self) -> None:
        """Prunes to the next stage's widths, and begins with a new optimizer."""
        self.stage += 1
        target = self.plan[self.stage]
        importance = measure(
            self.network, self.pool.features(IMPORTANCE_BATCHES, self.step), self.options.seed
        )
        self.network, left = shrink(self.network, target, importance)
        self.kept = [kept[channels] for kept, channels in zip(self.kept, left, strict=True)]
        settle_norms(self.network, self.pool.features(NORM_BATCHES, self.step))
        self._equip()

    def _equip(self) -> None:
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=self.options.rate, weight_decay=1e-3)
        self.averaged = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY), use_buffers=True
        )

    def _restore(self) -> None:
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.stage, self.step, self.seconds = state["stage"], state["step"], state["seconds"]
        self.network = VoiceTrunk(Widths.from_metadata(state["widths"]))
        self.kept = state["kept"]
        self._equip()
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])

    def _save(self) -> None:
        """Writes the checkpoint whole or not at all; ``model`` is the averaged student."""
        state = {
            "kind": "voice-trunk",
            "widths": self.network.widths.as_metadata(),
            "model": self.averaged.module.state_dict(),
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "kept": self.kept,
            "stage": self.stage,
            "step": self.step,
            "seconds": self.seconds,
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.checkpoint)

    def _report(self, name: str, row: dict[str, float]) -> None:
        path = self.options.out / name
        values = {"step": self.step, "stage": self.stage, "seconds": round(self.seconds)}
        values |= {key: f"{value:.4f}" for key, value in row.items()}
        new = not path.exists()
        with open(path, "a", newline="") as file:
            writer = csv.DictWriter(file, list(values))
            if new:
                writer.writeheader()
            writer.writerow(values)
        print(*(f"{key} {value}" for key, value in values.items()), flush=True)
