"""Training windows, made once and kept in shards: audio, exact labels, the teacher's classes, voices.

Run as a program to make them: ``python -m voiceflow_models.windows --data DIR --out DIR --teacher FILE``.
A trainer may read the folder while it grows.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from tqdm import tqdm

from . import rooms
from .layout import MAX_SPEAKERS, POWERSET, WINDOW_FRAMES, WINDOW_S
from .noise import NoiseBank
from .simulate import Simulator, make_voices
from .sources import load_speakers, split
from .teacher import CLASS_OF, Teacher, align

SHARD_WINDOWS = 256
SPEAKER_WEIGHTS = (0.05, 0.25, 0.4, 0.3)
"""How often a window has 0, 1, 2, 3 speakers."""


def exact_classes(activity: np.ndarray) -> np.ndarray:
    """Powerset class [frames] of activity [frames, 3]; of three at once, the first two."""
    sets = [tuple(np.flatnonzero(row)[:2]) for row in activity]
    return np.array([CLASS_OF[members] for members in sets], np.uint8)


def make_shard(simulator: Simulator, teacher: Teacher | None, seed: int) -> dict[str, np.ndarray]:
    """One shard: audio int16 [N, samples], exact [N, frames], solo voices [N, 3], teacher [N, frames, 7]."""
    random = np.random.default_rng(seed)
    rows: dict[str, list] = {"audio": [], "exact": [], "voices": [], "teacher": []}
    for _ in range(SHARD_WINDOWS):
        count = int(random.choice(len(SPEAKER_WEIGHTS), p=SPEAKER_WEIGHTS))
        talk = simulator.conversation(random, WINDOW_S, count)
        activity = np.zeros((WINDOW_FRAMES, MAX_SPEAKERS), bool)
        activity[:, :count] = talk.activity
        audio = (talk.audio * 32767).astype(np.int16)
        rows["audio"].append(audio)
        rows["exact"].append(exact_classes(activity))
        labels = [voice.label for voice in talk.voices]
        rows["voices"].append(labels + [-1] * (MAX_SPEAKERS - count))
        if teacher is None:
            soft = np.eye(len(POWERSET))[rows["exact"][-1]]
        else:
            soft = align(teacher.classes(audio.astype(np.float32) / 32768, WINDOW_FRAMES), activity)
        rows["teacher"].append((soft * 255).round().astype(np.uint8))
    return {name: np.array(values) for name, values in rows.items()}


def shards(folder: Path) -> list[Path]:
    """The finished shards of a folder, each a folder of ``.npy`` files."""
    return sorted(path for path in folder.glob("shard-*") if path.is_dir())


def main() -> None:
    """Makes shards until ``--windows`` are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and noise/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--teacher", type=Path, help="segmentation-3.0 ONNX; without it labels are exact only"
    )
    parser.add_argument("--windows", type=int, default=20_000)
    parser.add_argument("--part", default="0/1", help="which of how many processes, e.g. 0/2")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, options.part.split("/"))
    training, _ = split(load_speakers(options.data, options.out / "sources"))
    bank = rooms.make_bank(80, MAX_SPEAKERS, seed=1)
    simulator = Simulator(make_voices(training), bank, NoiseBank(options.data))
    teacher = Teacher(options.teacher) if options.teacher else None
    for index in tqdm(range(part, -(-options.windows // SHARD_WINDOWS), parts), unit="shard"):
        final = options.out / f"shard-{index:05}"
        if final.exists():
            continue
        partial = options.out / f"partial-{index:05}"
        partial.mkdir(exist_ok=True)
        for name, values in make_shard(simulator, teacher, seed=1000 + index).items():
            np.save(partial / f"{name}.npy", values)
        os.rename(partial, final)


if __name__ == "__main__":
    main()
