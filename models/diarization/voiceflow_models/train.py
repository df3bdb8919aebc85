"""Trains the network on prepared windows, with checkpoints.

``python -m voiceflow_models.train --windows DIR --runs DIR --steps N [--resume]``
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from .layout import FRAME_STEP, MAX_SPEAKERS, POWERSET, WINDOW_FRAMES
from .losses import AngularMargin, permuted_cross_entropy
from .model import FastCnn
from .windows import shards

TEACHER_SHARE = 0.7
"""Weight of the teacher's classes in the target; the rest is the exact label."""

LEAST_SOLO_FRAMES = 15
"""A voice counts for the embedding when it talks alone for 0.6 s of the window."""

VOICE_WEIGHT = 0.2
"""Weight of the voice loss beside the activity loss."""


MUTED_SHARE = 0.15
"""Windows of which a stretch is replaced by digital silence."""


class WindowPool:
    """Draws random batches from a folder of shards, which may still grow."""

    def __init__(self, folder: Path, random: np.random.Generator):
        self._folder = folder
        self._random = random
        self._open: dict[Path, dict[str, np.ndarray]] = {}

    def refresh(self) -> int:
        """Looks for new shards; returns how many there are."""
        for path in shards(self._folder):
            if path not in self._open:
                names = ("audio", "exact", "voices", "teacher")
                self._open[path] = {name: np.load(path / f"{name}.npy", mmap_mode="r") for name in names}
        return len(self._open)

    def batch(self, size: int) -> dict[str, Tensor]:
        """Audio [size, samples], target classes [size, frames, 7], solo labels and voices."""
        keys = list(self._open)
        rows = []
        for _ in range(size):
            shard = self._open[keys[self._random.integers(len(keys))]]
            row = int(self._random.integers(len(shard["audio"])))
            window = {name: np.array(values[row]) for name, values in shard.items()}
            self._mute(window)
            rows.append(window)
        gain = 10 ** (self._random.uniform(-8, 8, (size, 1)) / 20)
        audio = np.stack([row["audio"] for row in rows]).astype(np.float32) / 32768 * gain
        exact = np.stack([row["exact"] for row in rows])
        teacher = np.stack([row["teacher"] for row in rows]).astype(np.float32) / 255
        target = (
            TEACHER_SHARE * teacher + (1 - TEACHER_SHARE) * np.eye(len(POWERSET), dtype=np.float32)[exact]
        )
        return {
            "audio": torch.from_numpy(np.clip(audio, -1, 1).astype(np.float32)),
            "target": torch.from_numpy(target),
            "exact": torch.from_numpy(exact.astype(np.int64)),
            "voices": torch.from_numpy(np.stack([row["voices"] for row in rows]).astype(np.int64)),
        }

    def _mute(self, window: dict[str, np.ndarray]) -> None:
        """Sometimes zeroes a stretch: digital silence, as gates, padding and muted channels make it."""
        if self._random.random() > MUTED_SHARE:
            return
        begin, end = sorted(self._random.integers(0, WINDOW_FRAMES + 1, 2))
        if self._random.random() < 0.5:
            begin, end = (0, end) if self._random.random() < 0.5 else (begin, WINDOW_FRAMES)
        window["audio"][begin * FRAME_STEP : end * FRAME_STEP] = 0
        window["exact"][begin:end] = 0
        window["teacher"][begin:end] = np.eye(len(POWERSET), dtype=np.uint8)[0] * 255


def losses(model: FastCnn, margin: AngularMargin, batch: dict[str, Tensor], ramp: float, autocast: bool):
    """Activity loss, voice loss, and the share of voices told right."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        scores, voice = model.encode(batch["audio"])
    scores, voice = scores.float(), voice.float()
    activity, _ = permuted_cross_entropy(scores, batch["target"])
    solo = torch.stack([batch["exact"] == 1 + speaker for speaker in range(MAX_SPEAKERS)], dim=2).float()
    known = (solo.sum(dim=1) >= LEAST_SOLO_FRAMES) & (batch["voices"] >= 0)
    embedding = model.pool(voice, solo)[known]
    identity, right = margin(embedding, batch["voices"][known], ramp)
    return activity, identity, right


def schedule(step: int, done: float, peak: float) -> float:
    """Learning rate: 150 steps of warm-up, and a cosine over the share ``done`` of the training to 1 %."""
    return peak * min(1.0, (step + 1) / 150) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))


def main() -> None:
    """Trains, writing ``curve.csv`` and ``checkpoint.pt`` into the run folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--voices", type=int, required=True, help="number of training voices")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--minutes", type=float, help="end the schedule after this time instead of --steps")
    parser.add_argument("--bfloat16", action="store_true", help="mixed precision on processors that have it")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    model, pool = FastCnn(), WindowPool(options.windows, np.random.default_rng(options.seed))
    margin = AngularMargin(model.embedding_dim, options.voices)
    parameters = [*model.parameters(), *margin.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=options.rate, weight_decay=1e-2)
    checkpoint, first = options.runs / "checkpoint.pt", 0
    elapsed = 0.0
    if options.resume and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        margin.load_state_dict(state["margin"])
        optimizer.load_state_dict(state["optimizer"])
        first, elapsed = state["step"], state["elapsed"]
    begun = time.monotonic() - elapsed
    curve = options.runs / "curve.csv"
    model.train()
    sums, progress = np.zeros(3), tqdm(total=options.steps, initial=first)
    step, done = first, 0.0
    while done < 1.0:
        if (step - first) % 50 == 0 and pool.refresh() == 0:
            raise SystemExit(f"{options.windows}: no shard-* folder; make them with voiceflow_models.windows")
        elapsed = time.monotonic() - begun
        done = elapsed / 60 / options.minutes if options.minutes else (step + 1) / options.steps
        rate = schedule(step, done, options.rate)
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = pool.batch(options.batch)
        activity, identity, right = losses(model, margin, batch, min(1.0, step / 1500), options.bfloat16)
        loss = activity + VOICE_WEIGHT * identity
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        step += 1
        progress.update()
        sums += [activity.item(), identity.item(), right.item()]
        if step % 50 == 0:
            mean, sums = sums / 50, np.zeros(3)
            progress.set_postfix(activity=f"{mean[0]:.3f}", voice=f"{mean[1]:.2f}", right=f"{mean[2]:.3f}")
            with open(curve, "a", newline="") as file:
                csv.writer(file).writerow([step, round(elapsed), rate, *mean.round(4)])
        if step % 250 == 0 or done >= 1.0:
            state = {
                "model": model.state_dict(),
                "margin": margin.state_dict(),
                "step": step,
                "elapsed": elapsed,
            }
            torch.save({**state, "optimizer": optimizer.state_dict()}, checkpoint.with_suffix(".partial"))
            checkpoint.with_suffix(".partial").rename(checkpoint)


if __name__ == "__main__":
    main()
