"""Windows that segmentation-3.0 is trained on: cut out of conversations of half a minute, with
exact labels at its own frames.

Owns which conversations, the cutting and the files. Does not make sound.

``python -m voiceflow_models.data.stretches --data DIR --out DIR``
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ..layout import FRAME_STEP, SAMPLE_RATE
from ..powerset import exact_classes
from ..teachers.segmentation import TEACHER_CENTRE, TEACHER_STEP, window_features
from . import rooms
from .noise import NoiseBank
from .simulate import (
    FAINT,
    HARD,
    ORDINARY,
    REAL_ROOMS,
    Conversation,
    Simulator,
    Voice,
    cut_speech,
    make_voices,
)
from .sources import load_speakers, split
from .timings import Meeting, Readings, load_meetings, plan_stretch, split_meetings

WINDOW_SAMPLES = 10 * SAMPLE_RATE
FRAMES = 589
"""Of a window."""

CONVERSATION_S = 30
"""Voices, seats and noise stay over three windows, as in a recording."""

MOST_SPEAKERS = 6
LOCAL_SPEAKERS = 3
"""Whom the network can tell apart in a window."""
FOURTH_FRAMES = 12
"""Frames (0.2 s) that speakers beyond the third may talk; windows with more are left out, since no
class stands for them."""

DRAWN_SPEAKERS = {1: 0.1, 2: 0.3, 3: 0.25, 4: 0.2, 5: 0.15}
"""How often a conversation by drawn turns has so many speakers."""
REAL_TURNS_SHARE = 0.6
READING_SHARE = 0.5
"""Conversations by real turns in which voices go on where they stopped; in the others each piece
comes from anywhere."""

ROOMS = 120
MEASURED_TIMES = 3
"""How often each measured room is in the bank, beside the made ones."""

KINDS = ((HARD, 0.3), (replace(REAL_ROOMS, narrow=0.1, music=0.03), 0.27), (ORDINARY, 0.27), (FAINT, 0.16))
"""What conversations sound like, and how often. Without faint ones, far talkers without a turn
become turns: false alarm on AMI excerpts from 1.8 to 5.5 %."""

SHARD_WINDOWS = 500


class Window(NamedTuple):
    """Audio [samples], [-1, 1]; class of each frame; whether the labels alone say what is a turn,
    for the published network finds turns in what is far."""

    audio: np.ndarray
    classes: np.ndarray
    faint: bool


class Stretches:
    """Draws conversations and cuts windows out of them."""

    def __init__(
        self, voices: list[Voice], bank: list[list[np.ndarray]], noise: NoiseBank, meetings: list[Meeting]
    ):
        self._simulators = [Simulator(voices, bank, noise, conditions) for conditions, _ in KINDS]
        self._meetings = meetings

    def windows(self, random: np.random.Generator) -> Iterator[Window]:
        """One window after another, without end."""
        while True:
            kind = random.choice(len(KINDS), p=[share for _, share in KINDS])
            talk = self._conversation(random, self._simulators[kind])
            for start in range(0, CONVERSATION_S * SAMPLE_RATE, WINDOW_SAMPLES):
                classes = window_classes(talk.activity, start)
                if classes is not None:
                    yield Window(talk.audio[start : start + WINDOW_SAMPLES], classes, KINDS[kind][0] is FAINT)

    def _conversation(self, random: np.random.Generator, simulator: Simulator) -> Conversation:
        if random.random() >= REAL_TURNS_SHARE:
            speakers = int(random.choice(list(DRAWN_SPEAKERS), p=list(DRAWN_SPEAKERS.values())))
            return simulator.conversation(random, CONVERSATION_S, speakers)
        meeting = self._meetings[random.integers(len(self._meetings))]
        places, speakers = plan_stretch(random, meeting, CONVERSATION_S, MOST_SPEAKERS)
        cut = Readings().cut if random.random() < READING_SHARE else cut_speech
        return simulator.performance(random, CONVERSATION_S, speakers, places, cut)


def training_stretches(data: Path, cache: Path, seed: int) -> Stretches:
    """Those of the speakers and meetings that train."""
    voices = make_voices(split(load_speakers(data, cache))[0])
    bank = rooms.make_bank(ROOMS, MOST_SPEAKERS, seed)
    bank += rooms.measured_bank(data / "rir", MOST_SPEAKERS, seed) * MEASURED_TIMES
    return Stretches(voices, bank, NoiseBank(data), split_meetings(load_meetings(data / "turns"))[0])


def window_classes(activity: np.ndarray, start: int) -> np.ndarray | None:
    """Class of each frame of the window from sample ``start`` on, or None where too many people
    talk.

    ``activity`` [frames of 40 ms, speakers] is that of the whole conversation.
    """
    middles = start + TEACHER_STEP * np.arange(FRAMES) + int(TEACHER_CENTRE)
    active = activity[np.minimum(middles // FRAME_STEP, len(activity) - 1)]
    order = np.argsort(-active.sum(axis=0), kind="stable")
    if active[:, order[LOCAL_SPEAKERS:]].sum() > FOURTH_FRAMES:
        return None
    local = np.zeros((FRAMES, LOCAL_SPEAKERS), bool)
    kept = order[:LOCAL_SPEAKERS]
    local[:, : len(kept)] = active[:, kept]
    return exact_classes(local)


def main() -> None:
    """Writes shards of SincNet's features and classes until ``--windows`` are there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with train/, turns/, rir/ and noise/"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--published", type=Path, required=True, help="segmentation-3.0 as ONNX")
    parser.add_argument("--windows", type=int, default=14_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first shard; the others count on")
    parser.add_argument("--part", default="0/1", help="which of how many processes, e.g. 0/2")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, options.part.split("/"))
    features = window_features(options.published)
    stretches = training_stretches(options.data, options.out / "sources", options.seed + part)
    for index in tqdm(range(-(-options.windows // SHARD_WINDOWS))[part::parts], unit="shard"):
        path = options.out / f"shard-{index:05}.npz"
        if not path.exists():
            write_shard(path, stretches.windows(np.random.default_rng([options.seed, index])), features)


def write_shard(
    path: Path,
    windows: Iterator[Window],
    features: Callable[[np.ndarray], np.ndarray],
    count: int = SHARD_WINDOWS,
) -> None:
    """The next ``count`` windows: float16 features [windows, frames, channels], classes
    [windows, frames] and faint [windows]."""
    drawn = [next(windows) for _ in range(count)]
    arrays = {
        "features": np.stack([features(window.audio) for window in drawn]).astype(np.float16),
        "classes": np.stack([window.classes for window in drawn]),
        "faint": np.array([window.faint for window in drawn]),
    }
    unfinished = path.with_suffix(f".{os.getpid()}.partial.npz")
    np.savez(unfinished, **arrays)
    os.replace(unfinished, path)


if __name__ == "__main__":
    main()
