"""Speaker verification of held-out speakers: are two cuts of two seconds one voice or two?

Cuts of one speaker never share a sample, but come from the same reading, so that microphone and room agree:
the figures are for comparing encoders on these very trials, not with those of other benchmarks. The second
condition puts each cut into a room, with noise and recorder of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from tqdm import tqdm

from ..data import rooms
from ..data.noise import NoiseBank
from ..data.simulate import Simulator, Voice, speech_from
from ..data.sources import VAD_STEP, Speaker, load_speakers, split
from ..layout import FRAME_STEP, MAX_SPEAKERS, SAMPLE_RATE
from .det import Det, trade_off

CUT_S = 2
CUT_SAMPLES = CUT_S * SAMPLE_RATE
CUTS = 40
"""Cuts of each speaker, or as many as fit."""

SEED = 20
ROOMS = 40
CONDITIONS = ("clean", "rooms")

Encoder = Callable[[np.ndarray], np.ndarray]
"""Audio [samples] of one voice to its embedding [dim], all zeros where nothing was heard."""


@dataclass
class Cuts:
    """Pieces of speech and who speaks in them."""

    audio: np.ndarray
    """[cuts, CUT_SAMPLES], float32, [-1, 1]."""
    talking: np.ndarray
    """Whether somebody talks in each output frame [cuts, frames]."""
    speaker: np.ndarray
    """Index of the speaker [cuts]."""


@dataclass
class Verification:
    """What an encoder reaches on all pairs of the cuts in which it heard somebody."""

    det: Det
    same: int
    """Trials of one voice."""
    different: int
    """Trials of two voices."""
    cuts: int
    unheard: int
    """Cuts in which nothing was heard; their trials are left out."""


class ModelEncoder:
    """The voice that a model of this project's contract finds most active in a cut."""

    def __init__(self, path: Path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """[samples] -> [dim]."""
        activity, embedding = self._session.run(["activity", "embedding"], {"audio": audio[None]})
        return embedding[0, activity[0].sum(axis=0).argmax()]


def apart(random: np.random.Generator, onsets: np.ndarray, frames: int, count: int) -> list[int]:
    """Up to ``count`` of the onsets, drawn so that any two are at least ``frames`` apart."""
    chosen: list[int] = []
    for onset in random.permutation(onsets):
        if len(chosen) == count:
            break
        if all(abs(onset - other) >= frames for other in chosen):
            chosen.append(int(onset))
    return chosen


def clean_cuts(speakers: list[Speaker], count: int, seed: int) -> Cuts:
    """Up to ``count`` cuts of every speaker, from word onsets on."""
    random = np.random.default_rng(seed)
    audio, talking, owner = [], [], []
    for index, speaker in enumerate(speakers):
        whole = speaker.onsets[speaker.onsets * VAD_STEP + CUT_SAMPLES < len(speaker.audio)]
        for onset in apart(random, whole, CUT_SAMPLES // VAD_STEP, count):
            sound, speech = speech_from(Voice(speaker, 1.0, index), onset, CUT_SAMPLES)
            middle = np.arange(FRAME_STEP // 2, CUT_SAMPLES, FRAME_STEP) // VAD_STEP
            audio.append(np.clip(sound[:CUT_SAMPLES], -1, 1))
            talking.append(speech[middle])
            owner.append(index)
    return Cuts(np.array(audio), np.array(talking), np.array(owner))


def in_rooms(cuts: Cuts, simulator: Simulator, seed: int) -> Cuts:
    """The same cuts as recorded in rooms, each with seat, noise and recorder of its own."""
    random = np.random.default_rng(seed)
    pairs = zip(cuts.audio, cuts.talking, strict=True)
    heard = [simulator.recording(random, sound[None], talking[:, None]) for sound, talking in pairs]
    return Cuts(np.array(heard, np.float32), cuts.talking, cuts.speaker)


def compare(embeddings: np.ndarray, speaker: np.ndarray) -> Verification:
    """Cosines of all pairs of embeddings [cuts, dim] by speaker [cuts]; zero vectors count as unheard."""
    length = np.linalg.norm(embeddings, axis=1)
    heard = length > 0
    unit, who = embeddings[heard] / length[heard, None], speaker[heard]
    first, second = np.triu_indices(len(unit), k=1)
    cosine = (unit @ unit.T)[first, second]
    alike = who[first] == who[second]
    det = trade_off(cosine[alike], cosine[~alike])
    return Verification(det, int(alike.sum()), int((~alike).sum()), len(heard), int((~heard).sum()))


def verify(
    encoders: dict[str, Encoder], data: Path, cache: Path, count: int = CUTS
) -> dict[str, dict[str, Verification]]:
    """Every encoder on the held-out speakers of ``data``, by condition and then by name."""
    _, held_out = split(load_speakers(data, cache))
    voices = [Voice(speaker, 1.0, label) for label, speaker in enumerate(held_out)]
    simulator = Simulator(voices, rooms.make_bank(ROOMS, MAX_SPEAKERS, SEED), NoiseBank(data))
    clean = clean_cuts(held_out, count, SEED)
    found: dict[str, dict[str, Verification]] = {}
    for condition, cuts in zip(CONDITIONS, (clean, in_rooms(clean, simulator, SEED)), strict=True):
        found[condition] = {}
        for name, encode in encoders.items():
            heard = [encode(audio) for audio in tqdm(cuts.audio, unit="cut", desc=f"{name}, {condition}")]
            found[condition][name] = compare(np.array(heard), cuts.speaker)
    return found
