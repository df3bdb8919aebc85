"""Conversations of made-up voices, for recordings with exact labels where there is no speech data.

A voice is a buzz at its own pitch through resonances that move from vowel to vowel (the
source-filter model, Fant, 1960). It does not sound like a human voice, but it has pitch, timbre and
syllables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from ..layout import FRAME_STEP, SAMPLE_RATE
from .simulate import SPEECH_RMS, Conversation, Voice
from .sources import Speaker

VOWELS_HZ = (
    *((270, 2290, 3010), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440)),
    *((570, 840, 2410), (300, 870, 2240), (640, 1190, 2390)),
)
"""Mean resonances of men's vowels (Peterson & Barney, 1952)."""

BANDWIDTHS_HZ = (60, 90, 150)
PITCHES_HZ = (85.0, 260.0)
TRACTS = (0.9, 1.3)
"""Pitch, and resonances relative to those of men, from the lowest voice to the highest."""

TURN_S = (1.5, 5.0)
PAUSE_S = (0.4, 1.2)
OVERLAP_SHARE = 0.2
OVERLAP_S = 0.6
"""One turn in five begins this long before the one before it has ended."""

EDGE = SAMPLE_RATE * 15 // 1000
"""Samples over which a syllable rises and falls."""


@dataclass(frozen=True)
class Timbre:
    """What distinguishes one made-up voice from another."""

    pitch_hz: float
    tract: float
    """Factor on all resonances: shorter tracts sound higher."""


def timbres(count: int) -> list[Timbre]:
    """Voices spread evenly over pitch; neighbours in pitch lie apart in timbre."""
    places = (np.arange(count) + 0.5) / count
    pitches = PITCHES_HZ[0] * (PITCHES_HZ[1] / PITCHES_HZ[0]) ** places
    # Multiples of the golden ratio fill the range evenly in an order far from that of the pitches.
    tracts = TRACTS[0] + (TRACTS[1] - TRACTS[0]) * (np.arange(1, count + 1) * 0.618034 % 1)
    return [Timbre(float(pitch), float(tract)) for pitch, tract in zip(pitches, tracts, strict=True)]


def speak(random: np.random.Generator, timbre: Timbre, samples: int) -> np.ndarray:
    """Syllables without a pause between them, float32 [samples] at SPEECH_RMS."""
    audio = np.zeros(samples, np.float32)
    start = 0
    while start < samples:
        length = min(int(random.uniform(0.12, 0.3) * SAMPLE_RATE), samples - start)
        audio[start : start + length] = _syllable(random, timbre, length)
        start += length + int(random.uniform(0, 0.05) * SAMPLE_RATE)
    return audio * np.float32(SPEECH_RMS / np.sqrt(np.mean(audio**2)))


def conversation(random: np.random.Generator, seconds: float, speakers: int) -> Conversation:
    """Turns of made-up voices, everybody in order, then anybody; pauses between turns are digital
    silence."""
    frames = int(seconds * SAMPLE_RATE) // FRAME_STEP
    audio, activity = np.zeros(frames * FRAME_STEP, np.float32), np.zeros((frames, speakers), bool)
    voices = timbres(speakers)
    talker, clock = 0, _frames(random.uniform(*PAUSE_S))
    for turn in range(frames):
        length = min(_frames(random.uniform(*TURN_S)), frames - clock)
        if length <= 0:
            break
        first, last = clock * FRAME_STEP, (clock + length) * FRAME_STEP
        audio[first:last] += speak(random, voices[talker], last - first)
        activity[clock : clock + length, talker] = True
        overlaps = speakers > 1 and random.random() < OVERLAP_SHARE
        clock += length + _frames(-OVERLAP_S if overlaps else random.uniform(*PAUSE_S))
        after = 1 if turn < speakers else int(random.integers(1, max(speakers, 2)))
        talker = (talker + after) % speakers
    silence = np.zeros(0, np.int16), np.zeros(0, bool)
    cast = [
        Voice(Speaker(f"voice-{index + 1}", "synthetic", *silence), 1.0, index) for index in range(speakers)
    ]
    return Conversation(np.clip(audio, -1, 1), activity, cast)


def _frames(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / FRAME_STEP)


def _syllable(random: np.random.Generator, timbre: Timbre, samples: int) -> np.ndarray:
    """One vowel with a falling or rising pitch, peak 1."""
    glide = np.linspace(random.uniform(0.92, 1.12), random.uniform(0.88, 1.04), samples)
    cycles = np.cumsum(timbre.pitch_hz * glide) / SAMPLE_RATE + random.random()
    sound = np.diff(np.floor(cycles), prepend=np.floor(cycles[0])) + 0.01 * random.standard_normal(samples)
    vowel = VOWELS_HZ[random.integers(len(VOWELS_HZ))]
    for resonance, bandwidth in zip(vowel, BANDWIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
        turn = 2 * np.pi * resonance * timbre.tract / SAMPLE_RATE
        sound = lfilter([1 - radius], [1, -2 * radius * np.cos(turn), radius**2], sound)
    edge = np.clip(np.minimum(np.arange(samples), np.arange(samples)[::-1]) / EDGE, 0, 1)
    sound = sound * edge
    return (sound / max(np.abs(sound).max(), 1e-9)).astype(np.float32)
