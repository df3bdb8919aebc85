"""Conversations made from single-speaker speech, with exact labels.

Turn-taking with pauses, interruptions, overlap and back-channels; levels, rooms, background talkers, noise
and telephone band vary from one conversation to the next. Every draw comes from the generator that is
passed in, so a seed fixes the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.signal import butter, oaconvolve, sosfilt

from .layout import FRAME_STEP, SAMPLE_RATE
from .noise import NoiseBank
from .sources import VAD_STEP, Speaker

SPEEDS = (1.0, 0.9, 1.1)
"""Speeds of a voice; each is a voice of its own, since pitch and formants move with it."""


@dataclass
class Voice:
    """A speaker at one speed."""

    speaker: Speaker
    speed: float
    label: int


@dataclass
class Conversation:
    """Audio [-1, 1] with, for each voice, a label every 40 ms."""

    audio: np.ndarray
    activity: np.ndarray
    voices: list[Voice]


@dataclass
class Placement:
    """``length`` samples of one voice, to be laid at ``start``."""

    voice: int
    start: int
    length: int


def make_voices(speakers: list[Speaker]) -> list[Voice]:
    """Every speaker at every speed, with a class label each."""
    pairs = [(speaker, speed) for speaker in speakers for speed in SPEEDS]
    return [Voice(speaker, speed, label) for label, (speaker, speed) in enumerate(pairs)]


class Simulator:
    """Draws conversations from voices, room responses and noise."""

    def __init__(self, voices: list[Voice], rooms: list[list[np.ndarray]], noise: NoiseBank):
        self._voices = voices
        self._people = len({voice.speaker.name for voice in voices})
        self._rooms = rooms
        self._noise = noise

    def conversation(self, random: np.random.Generator, seconds: float, speakers: int) -> Conversation:
        """A conversation of ``speakers`` different people, ``seconds`` long."""
        samples = int(seconds * SAMPLE_RATE)
        voices = self._cast(random, speakers)
        room = self._rooms[random.integers(len(self._rooms))] if random.random() < 0.7 else None
        tracks = np.zeros((speakers, samples), np.float32)
        activity = np.zeros((samples // FRAME_STEP, speakers), bool)
        for place in plan_turns(random, samples, speakers):
            self._lay(random, voices[place.voice], place, tracks, activity)
        # Talkers sit at different distances: one of them may be 20 dB below the loudest.
        gains = 10 ** (np.clip(random.normal(0, 5, speakers), -14, 10) / 20)
        mix = np.zeros(samples, np.float32)
        for index in range(speakers):
            track = tracks[index] * gains[index]
            if room is not None and track.any():
                track = oaconvolve(track, room[index % len(room)])[:samples]
            if random.random() < 0.05:
                track = telephone(track)
            mix += track
        mix = self._surround(random, mix, activity)
        return Conversation(mix, activity, voices)

    def _cast(self, random: np.random.Generator, count: int) -> list[Voice]:
        if count > self._people:
            raise ValueError(f"speakers: expected at most the {self._people} people there are, got {count}")
        cast: list[Voice] = []
        while len(cast) < count:
            voice = self._voices[random.integers(len(self._voices))]
            if all(voice.speaker is not other.speaker for other in cast):
                cast.append(voice)
        return cast

    def _lay(self, random, voice: Voice, place: Placement, tracks: np.ndarray, activity: np.ndarray) -> None:
        """Cuts a piece of speech that starts with a word and lays it into the voice's track."""
        length = min(place.length, tracks.shape[1] - place.start)
        audio, speech = cut_speech(random, voice, length)
        length = min(length, len(audio))
        ramp = min(80, length // 2)
        audio = audio[:length].copy()
        audio[:ramp] *= np.linspace(0, 1, ramp, dtype=np.float32)
        audio[length - ramp :] *= np.linspace(1, 0, ramp, dtype=np.float32)
        tracks[place.voice, place.start : place.start + length] += audio
        first = place.start / FRAME_STEP
        for frame in range(int(first), min(int(np.ceil((place.start + length) / FRAME_STEP)), len(activity))):
            middle = int((frame + 0.5) * FRAME_STEP - place.start) // VAD_STEP
            if 0 <= middle < min(len(speech), length // VAD_STEP) and speech[middle]:
                activity[frame, place.voice] = True

    def _surround(self, random, mix: np.ndarray, activity: np.ndarray) -> np.ndarray:
        """Adds distant talkers and noise, then the channel: telephone band, level, clipping."""
        samples = len(mix)
        talking = activity.any(axis=1).repeat(FRAME_STEP)
        speech_rms = np.sqrt(np.mean(mix[: len(talking)][talking] ** 2)) if talking.any() else 0.05
        if random.random() < 0.15:
            mix = mix + self._babble(random, samples) * speech_rms * 10 ** (-random.uniform(18, 32) / 20)
        for _ in range(random.choice([1, 2], p=[0.7, 0.3])):
            snr = random.uniform(5, 45)
            mix = mix + self._noise.draw(random, samples) * speech_rms * 10 ** (-snr / 20)
        if random.random() < 0.08:
            mix = telephone(mix)
        rms = np.sqrt(np.mean(mix**2)) + 1e-9
        mix = mix * (10 ** (random.uniform(-42, -14) / 20) / rms)
        limit = 0.3 if random.random() < 0.03 else 1.0
        return np.clip(mix, -limit, limit).astype(np.float32)

    def _babble(self, random, samples: int) -> np.ndarray:
        """Several far talkers in a reverberant room, RMS 1: present, but nobody's turn."""
        total = np.zeros(samples, np.float32)
        for voice in self._cast(random, min(int(random.integers(2, 6)), self._people)):
            audio, _ = cut_speech(random, voice, samples)
            total[: len(audio)] += audio[:samples]
        room = self._rooms[random.integers(len(self._rooms))]
        total = oaconvolve(total, room[random.integers(len(room))][SAMPLE_RATE // 100 :])[:samples]
        return (total / (np.sqrt(np.mean(total**2)) + 1e-9)).astype(np.float32)


def cut_speech(random: np.random.Generator, voice: Voice, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Up to ``length`` samples of the voice from the onset of a word, speech at RMS 0.05, with labels."""
    onsets = voice.speaker.onsets()
    start = int(onsets[random.integers(len(onsets))]) * VAD_STEP
    taken = int(length * voice.speed) + 1
    audio = voice.speaker.audio[start : start + taken].astype(np.float32) / 32768
    speech = voice.speaker.speech[start // VAD_STEP : (start + taken) // VAD_STEP]
    if voice.speed != 1.0:
        at = np.arange(0, len(audio) - 1, voice.speed, dtype=np.float64)
        audio = np.interp(at, np.arange(len(audio)), audio).astype(np.float32)
        frames = (np.arange(len(audio) // VAD_STEP) * voice.speed).astype(int)
        speech = speech[np.minimum(frames, max(len(speech) - 1, 0))] if len(speech) else speech
    marked = speech.repeat(VAD_STEP)[: len(audio)]
    rms = np.sqrt(np.mean(audio[: len(marked)][marked] ** 2)) if marked.any() else 1.0
    return audio * (0.05 / (rms + 1e-6)), speech


def plan_turns(random: np.random.Generator, samples: int, speakers: int) -> list[Placement]:
    """Who talks when: turns with pauses or overlap between them, and back-channels inside them."""
    places: list[Placement] = []
    if speakers == 0:
        return places
    second = SAMPLE_RATE
    lively = random.random()
    clock = (
        int(random.uniform(-3, 2) * second) if random.random() < 0.7 else int(random.uniform(0, 6) * second)
    )
    talker = int(random.integers(speakers))
    while clock < samples:
        length = int(np.clip(random.lognormal(np.log(1.8), 0.8), 0.25, 12.0) * second)
        places.append(Placement(talker, clock, length))
        if speakers > 1 and length > 1.5 * second and random.random() < 0.15 + 0.3 * lively:
            other = (talker + int(random.integers(1, speakers))) % speakers
            at = clock + int(random.uniform(0.1, 0.8) * length)
            places.append(Placement(other, at, int(random.uniform(0.25, 1.2) * second)))
        clock += length + _gap(random, lively, length)
        if speakers > 1 and random.random() < 0.8:
            talker = (talker + int(random.integers(1, speakers))) % speakers
    return [cut for cut in (_clip(place) for place in places) if cut is not None and cut.start < samples]


def _gap(random: np.random.Generator, lively: float, length: int) -> int:
    """Time to the next turn in samples; negative is an overlap, at most half of the turn."""
    kind = random.random()
    if kind < 0.12 * (1.3 - lively):
        seconds = random.uniform(1.0, 6.0)
    elif kind < 0.35 + 0.3 * lively:
        seconds = -random.exponential(0.5)
    else:
        seconds = random.exponential(0.4)
    return max(int(seconds * SAMPLE_RATE), -length // 2)


def _clip(place: Placement) -> Placement | None:
    """Cuts off what lies before the beginning of the recording."""
    if place.start >= 0:
        return place
    left = place.length + place.start
    return Placement(place.voice, 0, left) if left > SAMPLE_RATE // 5 else None


@lru_cache
def _telephone_filter() -> np.ndarray:
    return butter(4, [300, 3400], "bandpass", fs=SAMPLE_RATE, output="sos")


def telephone(audio: np.ndarray) -> np.ndarray:
    """Narrows to the telephone band, 300 to 3400 Hz."""
    return sosfilt(_telephone_filter(), audio).astype(np.float32)
