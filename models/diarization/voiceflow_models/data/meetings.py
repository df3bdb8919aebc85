"""Simulated meetings of held-out speakers, as recordings with RTTM: material to choose thresholds on.

``python -m voiceflow_models.meetings --data DIR --cache DIR --out DIR``
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import soundfile

from ..layout import FRAME_STEP, SAMPLE_RATE
from . import rooms
from .noise import NoiseBank
from .simulate import Simulator, Voice
from .sources import load_speakers, split

LEAST_S = 60
LONGEST_S = 150


def rttm(name: str, activity: np.ndarray, voices: list[Voice]) -> str:
    """The labels [frames, voices] as RTTM lines."""
    lines = []
    for index, voice in enumerate(voices):
        edges = np.flatnonzero(np.diff(activity[:, index].astype(np.int8), prepend=0, append=0))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            begin, length = start * FRAME_STEP / SAMPLE_RATE, (end - start) * FRAME_STEP / SAMPLE_RATE
            lines.append(
                (begin, f"SPEAKER {name} 1 {begin:.3f} {length:.3f} <NA> <NA> {voice.speaker.name} <NA> <NA>")
            )
    return "".join(f"{line}\n" for _, line in sorted(lines))


def main() -> None:
    """Writes ``--count`` meetings of 1 to 2.5 minutes with 2 to 5 speakers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="where decoded sources are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=99)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    _, held_out = split(load_speakers(options.data, options.cache))
    voices = [Voice(speaker, 1.0, label) for label, speaker in enumerate(held_out)]
    simulator = Simulator(voices, rooms.make_bank(20, 5, options.seed), NoiseBank(options.data))
    random = np.random.default_rng(options.seed)
    for index in range(options.count):
        name = f"meeting-{index:02}"
        speakers = int(random.integers(2, 6))
        talk = simulator.conversation(random, float(random.uniform(LEAST_S, LONGEST_S)), speakers)
        soundfile.write(options.out / f"{name}.flac", talk.audio, SAMPLE_RATE, subtype="PCM_16")
        (options.out / f"{name}.rttm").write_text(rttm(name, talk.activity, talk.voices))


if __name__ == "__main__":
    main()
