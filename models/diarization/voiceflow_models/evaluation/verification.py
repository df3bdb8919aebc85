"""Speaker verification of held-out speakers: are two cuts of two seconds one voice or two?

The two cuts of a trial share no sample, but those of one speaker come from the same reading, so
that microphone and room agree: the figures compare encoders on these very trials, and not with
those of other benchmarks. The second condition puts each cut into a room, with noise and recorder
of its own.

Some speakers have minutes of speech, others seconds. So every speaker counts alike in what is
missed, and every pair of speakers in what is falsely accepted, however many trials they have.
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
from ..data.simulate import ORDINARY, SPEECH_RMS, Simulator, Voice, speech_from
from ..data.sources import VAD_STEP, Speaker, load_speakers, split
from ..layout import FRAME_STEP, MAX_SPEAKERS, SAMPLE_RATE
from .det import Det, trade_off

CUT_S = 2
CUT_SAMPLES = CUT_S * SAMPLE_RATE
CUTS = 40
"""Cuts of each speaker, or as many as there are."""

CUT_FRAMES = CUT_SAMPLES // VAD_STEP
STEP_FRAMES = 50
"""Cuts of one speaker start at least half a second apart (voice-activity frames of 10 ms)."""

SEED = 20
ROOMS = 40
CONDITIONS = ("clean", "rooms")

Encoder = Callable[[np.ndarray], np.ndarray]
"""Audio [samples] of one voice to its embedding [dim], all zeros where it detects no speech."""


@dataclass
class Cuts:
    """Pieces of speech and who speaks in them."""

    audio: np.ndarray
    """[cuts, CUT_SAMPLES], float32, [-1, 1]."""
    talking: np.ndarray
    """Whether somebody talks in each output frame [cuts, frames]."""
    speaker: np.ndarray
    """Index of the speaker [cuts]."""
    start: np.ndarray
    """Voice-activity frame of the speaker's recording at which the cut starts [cuts]."""


@dataclass
class Verification:
    """What an encoder reaches on the cuts in which it detects speech."""

    det: Det
    same: list[int]
    """Trials of one voice, of each speaker."""
    different: int
    """Trials of two voices."""
    cuts: int
    silent: int
    """Cuts in which it detects no speech; their trials are left out."""


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


def levelled(encoder: Encoder) -> Encoder:
    """An encoder that depends on loudness, given every cut at one level: recorders differ by 40
    dB."""

    def encode(audio: np.ndarray) -> np.ndarray:
        rms = np.sqrt(np.mean(audio**2))
        return encoder(audio * np.float32(SPEECH_RMS / max(rms, 1e-6)))

    return encode


def starts(random: np.random.Generator, speaker: Speaker, count: int) -> list[int]:
    """Up to ``count`` frames at which a cut may start: word onsets, and where those run out, other
    speech."""
    last = len(speaker.audio) // VAD_STEP - CUT_FRAMES
    chosen: list[int] = []
    for frames in (speaker.onsets, np.flatnonzero(speaker.speech)):
        for frame in random.permutation(frames[frames < last]):
            if len(chosen) < count and all(abs(frame - other) >= STEP_FRAMES for other in chosen):
                chosen.append(int(frame))
    return chosen


def clean_cuts(speakers: list[Speaker], count: int, seed: int) -> Cuts:
    """Up to ``count`` cuts of every speaker."""
    random = np.random.default_rng(seed)
    audio, talking, owner, begins = [], [], [], []
    middle = np.arange(FRAME_STEP // 2, CUT_SAMPLES, FRAME_STEP) // VAD_STEP
    for index, speaker in enumerate(speakers):
        for start in starts(random, speaker, count):
            sound, speech = speech_from(Voice(speaker, 1.0, index), start, CUT_SAMPLES)
            audio.append(np.clip(sound[:CUT_SAMPLES], -1, 1))
            talking.append(speech[middle])
            owner.append(index)
            begins.append(start)
    return Cuts(np.array(audio), np.array(talking), np.array(owner), np.array(begins))


def in_rooms(cuts: Cuts, simulator: Simulator, seed: int) -> Cuts:
    """The same cuts as recorded in rooms, each with seat, noise and recorder of its own."""
    random = np.random.default_rng(seed)
    pairs = zip(cuts.audio, cuts.talking, strict=True)
    recorded = [simulator.recording(random, sound[None], talking[:, None]) for sound, talking in pairs]
    return Cuts(np.array(recorded, np.float32), cuts.talking, cuts.speaker, cuts.start)


def compare(embeddings: np.ndarray, cuts: Cuts) -> Verification:
    """Cosines of all pairs of embeddings [cuts, dim] that share no sample; zero vectors count as
    silent."""
    length = np.linalg.norm(embeddings, axis=1)
    speaking = length > 0
    unit, who, start = (
        embeddings[speaking] / length[speaking, None],
        cuts.speaker[speaking],
        cuts.start[speaking],
    )
    first, second = np.triu_indices(len(unit), k=1)
    alike = who[first] == who[second]
    disjoint = np.abs(start[first] - start[second]) >= CUT_FRAMES
    cosine = (unit @ unit.T)[first, second]
    # The trials of a pair of speakers, or of one speaker, weigh 1 together.
    pair = who[first] * (who.max(initial=0) + 1) + who[second]
    same, different = alike & disjoint, ~alike
    weights = [1 / np.bincount(pair[kind])[pair[kind]] for kind in (same, different)]
    det = trade_off(cosine[same], cosine[different], *weights)
    by_speaker = np.bincount(who[first][same], minlength=cuts.speaker.max() + 1).tolist()
    return Verification(det, by_speaker, int(different.sum()), len(speaking), int((~speaking).sum()))


def verify(
    encoders: dict[str, Encoder], data: Path, cache: Path, count: int = CUTS
) -> dict[str, dict[str, Verification]]:
    """Every encoder on the held-out speakers of ``data``, by condition and then by name."""
    _, held_out = split(load_speakers(data, cache))
    voices = [Voice(speaker, 1.0, label) for label, speaker in enumerate(held_out)]
    simulator = Simulator(voices, rooms.make_bank(ROOMS, MAX_SPEAKERS, SEED), NoiseBank(data), ORDINARY)
    clean = clean_cuts(held_out, count, SEED)
    found: dict[str, dict[str, Verification]] = {}
    for condition, cuts in zip(CONDITIONS, (clean, in_rooms(clean, simulator, SEED)), strict=True):
        found[condition] = {}
        for name, encode in encoders.items():
            embeddings = [
                encode(audio) for audio in tqdm(cuts.audio, unit="cut", desc=f"{name}, {condition}")
            ]
            found[condition][name] = compare(np.array(embeddings), cuts)
    return found
