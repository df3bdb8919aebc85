"""The training loop of every network: schedule, mixed precision, several GPUs, averaging,
checkpoints.

Under ``torchrun`` each process takes one GPU and its own windows. All that is random in a step
follows from seed, process and step: a run can be repeated, and one that was broken off and resumed
is the same run.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from ..networks.heads import LocalDiarizer
from .curves import Curves
from .objective import Losses, Objective, Pace
from .pool import Batch, WindowPool
from .processes import Processes

WARM_UP_STEPS = 300
FINAL_SHARE = 0.01
"""The learning rate ends at this share of its peak."""

MARGIN_STEPS = 3000
"""The angular margin grows from nothing over these first steps."""

ARRIVAL_SHARE = 0.4
"""Of the order of arrival in the activity loss, at first: it falls to nothing, evenly over the
training. At first it keeps a window's frames from hedging between orders, at the end any order will
do."""

AVERAGE_DECAY = 0.998
"""Of the exponential average of the weights, which is what is exported."""

REPORT_STEPS = 50
SAVE_STEPS = 250


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
    parser.add_argument("--tensorboard", action="store_true", help="curves for TensorBoard beside curve.csv")


def schedule(step: int, done: float, peak: float) -> float:
    """Learning rate: a warm-up, then a cosine over the share ``done`` of the training."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return peak * min(1.0, (step + 1) / WARM_UP_STEPS) * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine)


def same_voices(state: dict[str, torch.Tensor], objective: Objective) -> bool:
    """Whether an objective's state is for as many voices; a checkpoint may also come without
    one."""
    shapes = {name: value.shape for name, value in objective.state_dict().items()}
    return shapes == {name: value.shape for name, value in state.items()}


class Step(nn.Module):
    """What a batch costs, as one module: all parameters serve within ``forward``, which wrappers
    watch."""

    def __init__(self, network: LocalDiarizer, objective: Objective):
        super().__init__()
        self.network, self.objective = network, objective

    def forward(self, batch: Batch, pace: Pace, precision: torch.dtype) -> Losses:
        """See :class:`Objective`."""
        return self.objective(self.network, batch, pace, precision)


class Trainer:
    """A network, what it is trained with, and how far it has come."""

    def __init__(self, build: Callable[[], LocalDiarizer], kind: str, options: argparse.Namespace):
        self.options, self.kind = options, kind
        self.processes = Processes()
        self.device = self.processes.device
        torch.manual_seed(options.seed)
        self.network = build().to(self.device)
        with np.load(options.data / "voices.npz") as stored:
            embeddings = stored["embeddings"]
        self.objective = Objective(self.network.embedding_dim, embeddings).to(self.device)
        self.averaged = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY), use_buffers=True
        )
        self.seed = options.seed + 1000 * self.processes.rank
        self.pool = WindowPool(options.data, self.seed)
        self.optimizer, self.shares = self._optimizer()
        self.step, self.seconds, self.windows = 0, 0.0, self.pool.windows()
        self._begin()
        self.run_step = self.processes.joined(Step(self.network, self.objective))

    @property
    def checkpoint(self) -> Path:
        """Where the state is kept."""
        return self.options.out / "checkpoint.pt"

    def run(self) -> None:
        """Trains to the end of the schedule."""
        options, first = self.options, self.processes.first
        curves = Curves(options.out, self.step, options.tensorboard) if first else None
        self.network.train()
        total = self._total_steps()
        progress = tqdm(total=total, initial=self.step, unit="step", disable=not first)
        rows, begun, done = [], time.monotonic() - self.seconds, 0.0
        batches = self.pool.batches(options.batch, self.step)
        while done < 1.0:
            self.seconds = time.monotonic() - begun
            done = self._done(total)
            rate = schedule(self.step, done, options.rate)
            pace = Pace(min(1.0, self.step / MARGIN_STEPS), ARRIVAL_SHARE * max(0.0, 1 - done))
            losses = self._step(next(batches), rate, pace)
            rows.append([value.item() for value in vars(losses).values()])
            self.step += 1
            progress.update()
            if self.step % REPORT_STEPS == 0:
                means = dict(zip(vars(losses), np.mean(rows, axis=0), strict=True))
                rows.clear()
                progress.set_postfix({name: f"{means[name]:.3f}" for name in ("activity", "voice", "right")})
                if curves:
                    curves.add(self.step, self.seconds, rate, self.pool.windows(), means)
            if first and (self.step % SAVE_STEPS == 0 or done >= 1.0):
                self._save()
        self.processes.leave()

    def _step(self, batch: Batch, rate: float, pace: Pace) -> Losses:
        for group, share in zip(self.optimizer.param_groups, self.shares, strict=True):
            group["lr"] = rate * share
        torch.manual_seed(int(np.random.SeedSequence((self.seed, self.step)).generate_state(1)[0]))
        precision = getattr(torch, self.options.precision)
        losses = self.run_step(batch.to(self.device), pace, precision)
        self.optimizer.zero_grad()
        losses.total.backward()
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        nn.utils.clip_grad_norm_(parameters, 5.0)
        self.optimizer.step()
        self.averaged.update_parameters(self.network)
        return losses

    def _optimizer(self) -> tuple[torch.optim.Optimizer, list[float]]:
        """The optimizer, and the share of the learning rate that each of its groups gets."""
        groups, shares = zip(*self.network.parameter_groups(), strict=True)
        groups = [[parameter for parameter in group if parameter.requires_grad] for group in groups]
        groups[0].extend(self.objective.parameters())
        parameters = [{"params": group} for group in groups]
        return torch.optim.AdamW(parameters, lr=self.options.rate, weight_decay=1e-2), list(shares)

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
            # Epochs are counted in the windows of the beginning, however many there are by now.
            self.windows = state.get("windows", self.windows)
        elif options.start:
            state = torch.load(options.start, map_location=self.device, weights_only=True)
            for network in (self.network, self.averaged.module):
                # Layers that the other network does not have begin as they are made.
                unknown = network.load_state_dict(state["model"], strict=False).unexpected_keys
                if unknown:
                    raise SystemExit(f"{options.start}: expected a network like this one, found {unknown[0]}")
            if same_voices(state.get("objective", {}), self.objective):
                self.objective.load_state_dict(state["objective"])

    def _total_steps(self) -> int | None:
        """Length of the schedule in all processes, though some may have found more windows by
        now."""
        if self.options.minutes:
            return None
        self.windows = int(self.processes.agree(self.windows))
        return math.ceil(self.options.epochs * self.windows / self.options.batch / self.processes.world)

    def _done(self, total: int | None) -> float:
        """Share of the schedule that is over; where it ends by time, by the first process's
        clock."""
        if total is None:
            return self.processes.agree(self.seconds / 60 / self.options.minutes)
        return (self.step + 1) / total

    def _save(self) -> None:
        """Writes the checkpoint whole or not at all; ``model`` is the averaged network."""
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
            "windows": self.windows,
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.checkpoint)
