"""The training loop of every network: schedule, mixed precision, several GPUs, averaging, checkpoints.

Under ``torchrun`` each process takes one GPU and its own windows.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from .objective import Losses, Objective
from .pool import WindowPool

WARM_UP_STEPS = 300
FINAL_SHARE = 0.01
"""The learning rate ends at this share of its peak."""

MARGIN_STEPS = 3000
"""The angular margin grows from nothing over these first steps."""

AVERAGE_DECAY = 0.998
"""Of the exponential average of the weights, which is what is exported."""

REPORT_STEPS = 50
SAVE_STEPS = 250
LOSSES = ("total", "activity", "voice", "affinity", "likeness", "right")
CURVE = ("step", "seconds", "rate", "windows", *LOSSES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every training program has."""
    parser.add_argument("--data", type=Path, required=True, help="windows of voiceflow_models.data.windows")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint.pt and curve.csv go here")
    parser.add_argument("--epochs", type=float, default=5, help="passes over the windows")
    parser.add_argument("--minutes", type=float, help="end the schedule after this time instead of --epochs")
    parser.add_argument("--batch", type=int, default=16, help="windows in a step of one process")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--start", type=Path, help="checkpoint to begin with, on a new schedule")
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.pt of --out")


def schedule(step: int, done: float, peak: float) -> float:
    """Learning rate: a warm-up, then a cosine over the share ``done`` of the training."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return peak * min(1.0, (step + 1) / WARM_UP_STEPS) * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine)


def same_voices(state: dict[str, torch.Tensor], objective: Objective) -> bool:
    """Whether an objective's state is for as many voices; a checkpoint may also come without one."""
    shapes = {name: value.shape for name, value in objective.state_dict().items()}
    return shapes == {name: value.shape for name, value in state.items()}


class Encoder(nn.Module):
    """The training view of a network: ``forward`` is its ``encode``, so that wrappers see it."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        self.pool = network.pool

    def forward(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Class scores and voice features."""
        return self.network.encode(audio)


class Trainer:
    """A network, what it is trained with, and how far it has come."""

    def __init__(self, build: Callable[[], nn.Module], kind: str, options: argparse.Namespace):
        self.options, self.kind = options, kind
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = self._device()
        torch.manual_seed(options.seed)
        self.network = build().to(self.device)
        with np.load(options.data / "voices.npz") as stored:
            embeddings = stored["embeddings"]
        self.objective = Objective(self.network.embedding_dim, embeddings).to(self.device)
        self.averaged = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY), use_buffers=True
        )
        self.pool = WindowPool(options.data, options.seed + 1000 * self.rank)
        parameters = [*self.network.parameters(), *self.objective.parameters()]
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=options.rate, weight_decay=1e-2)
        self.step, self.seconds = 0, 0.0
        self._begin()
        self.encoder: nn.Module = Encoder(self.network)
        if self.world > 1:
            self.encoder = DistributedDataParallel(self.encoder)
            self.objective_run: nn.Module = DistributedDataParallel(self.objective)
        else:
            self.objective_run = self.objective

    @property
    def checkpoint(self) -> Path:
        """Where the state is kept."""
        return self.options.out / "checkpoint.pt"

    def run(self) -> None:
        """Trains to the end of the schedule."""
        options = self.options
        self.network.train()
        total = self._total_steps()
        progress = tqdm(total=total, initial=self.step, unit="step", disable=self.rank > 0)
        sums, begun, done = np.zeros(len(LOSSES)), time.monotonic() - self.seconds, 0.0
        batches = self.pool.batches(options.batch)
        while done < 1.0:
            self.seconds = time.monotonic() - begun
            done = self.seconds / 60 / options.minutes if options.minutes else (self.step + 1) / total
            rate = schedule(self.step, done, options.rate)
            losses = self._step(next(batches), rate)
            sums += [value.item() for value in vars(losses).values()]
            self.step += 1
            progress.update()
            if self.step % REPORT_STEPS == 0:
                mean, sums = sums / REPORT_STEPS, np.zeros(len(LOSSES))
                progress.set_postfix(
                    activity=f"{mean[1]:.3f}", voice=f"{mean[2]:.2f}", right=f"{mean[5]:.3f}"
                )
                self._report(rate, mean)
            if self.step % SAVE_STEPS == 0 or done >= 1.0:
                self._save()

    def _step(self, batch, rate: float) -> Losses:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        precision = getattr(torch, self.options.precision)
        ramp = min(1.0, self.step / MARGIN_STEPS)
        losses = self.objective_run(self.encoder, batch.to(self.device), ramp, precision)
        self.optimizer.zero_grad()
        losses.total.backward()
        nn.utils.clip_grad_norm_(self.parameters, 5.0)
        self.optimizer.step()
        self.averaged.update_parameters(self.network)
        return losses

    def _device(self) -> torch.device:
        if not torch.cuda.is_available():
            return torch.device("cpu")
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
        if self.world > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl")
        return device

    def _begin(self) -> None:
        """Takes the state of an earlier run, or the weights of another."""
        options = self.options
        options.out.mkdir(parents=True, exist_ok=True)
        if options.resume and self.checkpoint.exists():
            state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.averaged.load_state_dict(state["averaged"])
            self.objective.load_state_dict(state["objective"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds = state["step"], state["seconds"]
        elif options.start:
            state = torch.load(options.start, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["model"])
            self.averaged.module.load_state_dict(state["model"])
            if same_voices(state.get("objective", {}), self.objective):
                self.objective.load_state_dict(state["objective"])

    def _total_steps(self) -> int | None:
        if self.options.minutes:
            return None
        return math.ceil(self.options.epochs * self.pool.windows() / self.options.batch / self.world)

    def _report(self, rate: float, mean: np.ndarray) -> None:
        if self.rank > 0:
            return
        path = self.options.out / "curve.csv"
        fresh = not path.exists()
        with open(path, "a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(CURVE)
            row = [self.step, round(self.seconds), f"{rate:.3g}", self.pool.windows()]
            writer.writerow([*row, *(f"{value:.4f}" for value in mean)])

    def _save(self) -> None:
        """Writes the checkpoint whole or not at all; ``model`` is the averaged network."""
        if self.rank > 0:
            return
        state = {
            "kind": self.kind,
            "config": self.network.describe(),
            "model": self.averaged.module.state_dict(),
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.checkpoint)
