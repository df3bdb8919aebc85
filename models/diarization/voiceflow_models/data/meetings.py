"""Simulated meetings of held-out speakers, as recordings with RTTM.

``python -m voiceflow_models.data.meetings --data DIR --cache DIR --out DIR``
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from ..layout import FRAME_STEP, SAMPLE_RATE
from . import rooms
from .noise import NoiseBank
from .simulate import ORDINARY, REAL_ROOMS, Conversation, Simulator, Voice
from .sources import VAD_STEP, Speaker, held_out_crowd, load_speakers, split
from .timings import Readings, load_meetings, plan_stretch, split_meetings

ROOMS = 40

MOST_REAL = 6
"""People of a meeting by real turns, at most."""

LEAST_MATERIAL_S = 20
"""Whoever has less speech than this would say the same sentence over and over in ten minutes."""


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


def read_arguments() -> argparse.Namespace:
    """The options of the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and noise/")
    parser.add_argument("--cache", type=Path, required=True, help="where decoded sources are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--speakers", type=int, nargs=2, default=(2, 6), metavar=("LEAST", "MOST"))
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument(
        "--real-turns",
        action="store_true",
        help="by turns of real meetings (turns/ of --data), in measured rooms (rir/)",
    )
    return parser.parse_args()


def drawn_meetings(options: argparse.Namespace, speakers: list[Speaker]) -> Iterator[Conversation]:
    """Meetings by drawn turns in made rooms, of the held-out LibriSpeech speakers."""
    _, held_out = split(speakers)
    least, most = options.speakers
    bank = rooms.make_bank(ROOMS, most, options.seed)
    simulator = Simulator(make_cast(held_out), bank, NoiseBank(options.data), ORDINARY)
    for index in range(options.count):
        random = np.random.default_rng([options.seed, index])
        yield simulator.conversation(random, options.seconds, int(random.integers(least, most + 1)))


def real_meetings(options: argparse.Namespace, speakers: list[Speaker]) -> Iterator[Conversation]:
    """Meetings by the turns of held-out real ones in measured rooms, of held-out speakers who say
    enough."""
    _, held_out = split(speakers)
    talkative = [
        speaker
        for speaker in held_out + held_out_crowd(speakers)
        if speaker.speech.sum() * VAD_STEP >= LEAST_MATERIAL_S * SAMPLE_RATE
    ]
    _, meetings = split_meetings(load_meetings(options.data / "turns"))
    order = np.random.default_rng(options.seed).permutation(len(meetings))
    bank = rooms.measured_bank(options.data / "rir", MOST_REAL, options.seed)
    simulator = Simulator(make_cast(talkative), bank, NoiseBank(options.data), REAL_ROOMS)
    for index in range(options.count):
        random = np.random.default_rng([options.seed, index])
        meeting = meetings[order[index % len(order)]]
        places, speakers = plan_stretch(random, meeting, options.seconds, MOST_REAL)
        yield simulator.performance(random, options.seconds, speakers, places, Readings().cut)


def make_cast(speakers: list[Speaker]) -> list[Voice]:
    """Every speaker at the speed they were recorded at."""
    return [Voice(speaker, 1.0, label) for label, speaker in enumerate(speakers)]


def main() -> None:
    """Writes meetings; the same seed gives the same ones."""
    options = read_arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    speakers = load_speakers(options.data, options.cache)
    make = real_meetings if options.real_turns else drawn_meetings
    for index, talk in enumerate(make(options, speakers)):
        name = f"meeting-{index:02}"
        soundfile.write(options.out / f"{name}.flac", talk.audio, SAMPLE_RATE, subtype="PCM_16")
        (options.out / f"{name}.rttm").write_text(rttm(name, talk.activity, talk.voices))


if __name__ == "__main__":
    main()
