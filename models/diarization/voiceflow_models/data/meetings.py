"""Simulated meetings of held-out speakers, as recordings with RTTM.

``python -m voiceflow_models.data.meetings --data DIR --cache DIR --out DIR``
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import soundfile

from ..layout import FRAME_STEP, SAMPLE_RATE
from . import rooms
from .noise import NoiseBank
from .simulate import ORDINARY, Simulator, Voice
from .sources import load_speakers, split

ROOMS = 40


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
    """Writes meetings; the same seed gives the same ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and noise/")
    parser.add_argument("--cache", type=Path, required=True, help="where decoded sources are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--speakers", type=int, nargs=2, default=(2, 6), metavar=("LEAST", "MOST"))
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    _, held_out = split(load_speakers(options.data, options.cache))
    voices = [Voice(speaker, 1.0, label) for label, speaker in enumerate(held_out)]
    least, most = options.speakers
    bank = rooms.make_bank(ROOMS, most, options.seed)
    simulator = Simulator(voices, bank, NoiseBank(options.data), ORDINARY)
    for index in range(options.count):
        random = np.random.default_rng([options.seed, index])
        name = f"meeting-{index:02}"
        talk = simulator.conversation(random, options.seconds, int(random.integers(least, most + 1)))
        soundfile.write(options.out / f"{name}.flac", talk.audio, SAMPLE_RATE, subtype="PCM_16")
        (options.out / f"{name}.rttm").write_text(rttm(name, talk.activity, talk.voices))


if __name__ == "__main__":
    main()
