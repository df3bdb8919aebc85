"""Training windows out of recorded conversations, labelled by their references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..layout import FRAME_STEP, MAX_SPEAKERS, SAMPLE_RATE, WINDOW_FRAMES, WINDOW_S, WINDOW_SAMPLES
from ..teachers.segmentation import SegmentationTeacher
from .corpora import audio
from .corpora.recording import Recording
from .corpora.voices import voice_name
from .shards import label


@dataclass(frozen=True)
class Cut:
    """A window of a recording that begins at sample ``start`` of its 16 kHz sound."""

    recording: Recording
    start: int

    def labels(self, voices: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
        """Activity [frames, 3] of the three who talk most, and the label of each one's voice, or -1
        [3].

        ``voices`` has the labels of voices by name. The most talkative comes first: where three
        talk at once, the class of the frame holds the first two.
        """
        begin, end = self.start / SAMPLE_RATE, (self.start + WINDOW_SAMPLES) / SAMPLE_RATE
        here = sorted(
            {turn.speaker for turn in self.recording.turns if turn.start < end and turn.end > begin}
        )
        active = self.recording.activity(here, self.start, WINDOW_FRAMES, FRAME_STEP)
        order = np.argsort(-active.sum(axis=0), kind="stable")[:MAX_SPEAKERS]
        kept = [column for column in order if active[:, column].any()]
        activity = np.zeros((WINDOW_FRAMES, MAX_SPEAKERS), bool)
        activity[:, : len(kept)] = active[:, kept]
        numbers = np.full(MAX_SPEAKERS, -1, np.int16)
        if self.recording.lasting_names:
            names = [voice_name(self.recording, here[column]) for column in kept]
            numbers[: len(kept)] = [voices.get(name, -1) for name in names]
        return activity, numbers

    def sound(self) -> np.ndarray:
        """The window's audio, int16 [samples]."""
        window = audio.read(self.recording.path, self.start / SAMPLE_RATE, WINDOW_S)
        return (np.clip(window, -1, 1) * 32767).astype(np.int16)


def cut_every(recordings: list[Recording], hop_s: float) -> list[Cut]:
    """All windows that lie in labelled parts, one every ``hop_s`` seconds from the beginning of
    each part."""
    return [
        Cut(recording, round(start * SAMPLE_RATE))
        for recording, begin, end in _parts(recordings)
        for start in np.arange(begin, end - WINDOW_S + 1e-6, hop_s)
    ]


def cut_anywhere(random: np.random.Generator, recordings: list[Recording], count: int) -> list[Cut]:
    """``count`` windows at random places in labelled parts; long parts have more of them."""
    parts = _parts(recordings)
    seconds = np.array([end - begin for _, begin, end in parts])
    cuts = []
    for index in random.choice(len(parts), count, p=seconds / seconds.sum()):
        recording, begin, end = parts[index]
        cuts.append(Cut(recording, round(random.uniform(begin, end - WINDOW_S) * SAMPLE_RATE)))
    return cuts


def make_shard(
    cuts: list[Cut], voices: Mapping[str, int], teacher: SegmentationTeacher | None
) -> dict[str, np.ndarray]:
    """The arrays of a shard with a row for each cut."""
    activity, numbers = zip(*(cut.labels(voices) for cut in cuts), strict=True)
    return label(np.stack([cut.sound() for cut in cuts]), np.stack(activity), np.stack(numbers), teacher)


def _parts(recordings: list[Recording]) -> list[tuple[Recording, float, float]]:
    """The labelled parts that hold a window."""
    parts = [
        (recording, begin, end)
        for recording in recordings
        for begin, end in recording.stretches
        if end - begin >= WINDOW_S
    ]
    if not parts:
        raise ValueError(
            f"recordings: expected a labelled part of {WINDOW_S} s in one of {len(recordings)}, got none"
        )
    return parts
