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

from ..layout import MAX_SPEAKERS, POWERSET, WINDOW_FRAMES, WINDOW_S, WINDOW_SAMPLES
from ..powerset import exact_classes
from ..teachers.segmentation import SegmentationTeacher, align
from ..teachers.voices import VoiceTeacher
from . import rooms
from .noise import NoiseBank
from .simulate import Simulator, Voice, make_voices
from .sources import load_speakers, split

SHARD_WINDOWS = 256
TEACHER_BATCH = 8
ROOMS = 160
SPEAKER_WEIGHTS = (0.05, 0.27, 0.4, 0.28)
"""How often a window has 0, 1, 2, 3 speakers."""


def make_shard(
    simulator: Simulator, teacher: SegmentationTeacher | None, seed: int, count: int = SHARD_WINDOWS
) -> dict[str, np.ndarray]:
    """One shard: audio int16 [N, samples], exact [N, frames], solo voices [N, 3], teacher [N, frames, 7]."""
    random = np.random.default_rng(seed)
    audio = np.zeros((count, WINDOW_SAMPLES), np.int16)
    activity = np.zeros((count, WINDOW_FRAMES, MAX_SPEAKERS), bool)
    voices = np.full((count, MAX_SPEAKERS), -1, np.int16)
    for row in range(count):
        speakers = int(random.choice(len(SPEAKER_WEIGHTS), p=SPEAKER_WEIGHTS))
        talk = simulator.conversation(random, WINDOW_S, speakers)
        audio[row] = (talk.audio * 32767).astype(np.int16)
        activity[row, :, :speakers] = talk.activity
        voices[row, :speakers] = [voice.label for voice in talk.voices]
    exact = np.stack([exact_classes(window) for window in activity])
    soft = np.eye(len(POWERSET))[exact]
    if teacher is not None:
        for first in range(0, count, TEACHER_BATCH):
            rows = slice(first, first + TEACHER_BATCH)
            heard = teacher.classes(audio[rows].astype(np.float32) / 32768, WINDOW_FRAMES)
            soft[rows] = [align(*pair) for pair in zip(heard, activity[rows], strict=True)]
    return {
        "audio": audio,
        "exact": exact,
        "voices": voices,
        "teacher": (soft * 255).round().astype(np.uint8),
    }


def shards(folder: Path) -> list[Path]:
    """The finished shards of a folder, each a folder of ``.npy`` files."""
    return sorted(path for path in folder.glob("shard-*") if path.is_dir())


def write_voices(out: Path, voices: list[Voice], encoder: Path | None) -> None:
    """``voices.npz``: the name of every voice, and the encoder's embedding of each (none without encoder)."""
    names = [f"{voice.speaker.name}@{voice.speed}" for voice in voices]
    embeddings = np.zeros((len(voices), 0), np.float32)
    if encoder is not None:
        embeddings = VoiceTeacher(encoder).voices(voices, seed=1)
    np.savez(out / "voices.npz", names=names, embeddings=embeddings)


def main() -> None:
    """Makes shards until ``--windows`` are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and noise/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--teacher", type=Path, help="segmentation-3.0 ONNX; without it labels are exact only"
    )
    parser.add_argument("--voices", type=Path, help="GE2E encoder ONNX, which describes every voice")
    parser.add_argument("--windows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1000, help="of the first shard; the others count on")
    parser.add_argument("--part", default="0/1", help="which of how many processes, e.g. 0/2")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, options.part.split("/"))
    training, _ = split(load_speakers(options.data, options.out / "sources"))
    voices = make_voices(training)
    if part == 0:
        write_voices(options.out, voices, options.voices)
    bank = rooms.make_bank(ROOMS, MAX_SPEAKERS, seed=1)
    simulator = Simulator(voices, bank, NoiseBank(options.data))
    teacher = SegmentationTeacher(options.teacher) if options.teacher else None
    for index in tqdm(range(part, -(-options.windows // SHARD_WINDOWS), parts), unit="shard"):
        final = options.out / f"shard-{index:05}"
        if final.exists():
            continue
        partial = options.out / f"partial-{index:05}"
        partial.mkdir(exist_ok=True)
        for name, values in make_shard(simulator, teacher, options.seed + index).items():
            np.save(partial / f"{name}.npy", values)
        os.rename(partial, final)


if __name__ == "__main__":
    main()
