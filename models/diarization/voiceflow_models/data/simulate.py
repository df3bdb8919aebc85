"""Conversations made from single-speaker speech, with exact labels.

Turns, levels, distances, rooms, background talkers, noise and channel vary from one conversation to
the next. Every draw comes from the generator that is passed in, so a seed fixes the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import oaconvolve

from ..layout import FRAME_STEP, SAMPLE_RATE
from .channel import narrow, record, telephone, tilt
from .noise import NoiseBank
from .rooms import farther
from .sources import VAD_STEP, Speaker
from .turns import Placement, close_pauses, draw_manner, plan_turns

SPEEDS = (1.0, 0.9, 1.1)
"""Speeds of a voice; each is a voice of its own, since pitch and formants move with it."""

SPEECH_RMS = 0.05
"""Level of speech before gains, rooms and recorders."""

TURN_PAUSE_FRAMES = SAMPLE_RATE // FRAME_STEP
"""A pause of less than 1 s belongs to the turn around it: in AMI references turns of 30 s are one
piece, with pauses of 1.3 s in them."""

TELEPHONE_SHARE = 0.06
"""Conversations over the telephone."""


@dataclass(frozen=True)
class Conditions:
    """What conversations may sound like: shares are probabilities, ranges are drawn from evenly."""

    levels_db: float
    """Deviation of the talkers' levels."""
    distance: float
    """How far the farthest talkers sit, 0 to 1."""
    babble: float
    babble_db: tuple[float, float]
    """Level of distant talkers below the conversation."""
    music: float
    noise_db: tuple[float, float]
    """Level of noise below the conversation."""
    narrow: float
    """Recordings that lose the lowest and highest tones."""
    quiet_manners: float
    """Conversations in which hardly anybody speaks, or one speaks at length."""
    overlap: float
    """How much speakers talk over each other: 1 is as in AMI."""
    room: float = 0.7
    """Conversations in a room; the others have no echo."""


HARD = Conditions(6.0, 1.0, 0.2, (15.0, 32.0), 0.06, (3.0, 45.0), 0.19, 0.25, 1.0)
"""For training: the widest range that listeners still understand."""

FAINT = Conditions(3.0, 0.3, 0.85, (12.0, 32.0), 0.06, (10.0, 40.0), 0.19, 0.8, 0.7)
"""For training: hardly anybody speaks, and far talkers without a turn are audible. If a window has
nothing else, they are its loudest sound, and still nobody's turn."""

ORDINARY = Conditions(3.0, 0.0, 0.1, (22.0, 35.0), 0.0, (12.0, 45.0), 0.0, 0.0, 1.0)
"""Meetings in a room, as test material: all talkers are near, and talk over each other as much as
in AMI."""

REAL_ROOMS = Conditions(3.0, 0.6, 0.3, (22.0, 35.0), 0.0, (15.0, 40.0), 0.0, 0.0, 1.0, room=1.0)
"""Meetings by real turns in rooms that were measured, as test material: some talkers sit far
off."""


@dataclass
class Voice:
    """A speaker at one speed."""

    speaker: Speaker
    speed: float
    label: int


Cut = Callable[[np.random.Generator, Voice, int], tuple[np.ndarray, np.ndarray]]
"""Up to so many samples of a voice, with its labels every 10 ms; ``cut_speech`` is one."""


@dataclass
class Conversation:
    """Audio [-1, 1] with, for each voice, a label every 40 ms."""

    audio: np.ndarray
    activity: np.ndarray
    voices: list[Voice]


def make_voices(speakers: list[Speaker]) -> list[Voice]:
    """Every speaker at every speed, with a class label each."""
    pairs = [(speaker, speed) for speaker in speakers for speed in SPEEDS]
    return [Voice(speaker, speed, label) for label, (speaker, speed) in enumerate(pairs)]


class Simulator:
    """Draws conversations from voices, room responses and noise."""

    def __init__(
        self,
        voices: list[Voice],
        rooms: list[list[np.ndarray]],
        noise: NoiseBank,
        conditions: Conditions = HARD,
    ):
        self._conditions = conditions
        self._voices = voices
        self._speakers = len({voice.speaker.name for voice in voices})
        self._rooms = rooms
        self._noise = noise

    def conversation(self, random: np.random.Generator, seconds: float, speakers: int) -> Conversation:
        """A conversation of ``speakers`` different speakers, ``seconds`` long."""
        samples = int(seconds * SAMPLE_RATE)
        voices = self._cast(random, speakers)
        manner = draw_manner(random, self._conditions.quiet_manners, self._conditions.overlap)
        places = plan_turns(random, samples, speakers, manner)
        return self._performed(random, samples, voices, places, cut_speech)

    def performance(
        self,
        random: np.random.Generator,
        seconds: float,
        speakers: int,
        places: Sequence[Placement],
        cut: Cut,
    ) -> Conversation:
        """A conversation of ``speakers`` different speakers by given placements, with speech from
        ``cut``."""
        voices = self._cast(random, speakers)
        return self._performed(random, int(seconds * SAMPLE_RATE), voices, places, cut)

    def _performed(
        self, random, samples: int, voices: list[Voice], places: Sequence[Placement], cut: Cut
    ) -> Conversation:
        tracks = np.zeros((len(voices), samples), np.float32)
        activity = np.zeros((samples // FRAME_STEP, len(voices)), bool)
        for place in places:
            self._lay(random, voices[place.voice], place, tracks, activity, cut)
        audio = self.recording(random, tracks, activity, voices)
        return Conversation(audio, close_pauses(activity, TURN_PAUSE_FRAMES), voices)

    def recording(
        self,
        random: np.random.Generator,
        tracks: np.ndarray,
        activity: np.ndarray,
        present: Sequence[Voice] = (),
    ) -> np.ndarray:
        """What a recorder in some room makes of clean ``tracks`` [speakers, samples]: [samples],
        [-1, 1].

        ``activity`` [frames, speakers] says where they talk, against which the noise is measured;
        ``present`` are the voices that no background may have.
        """
        mix = self._seat(random, tracks)
        mix = self._surround(random, mix, activity, present)
        return record(random, mix, SPEECH_RMS)

    def _cast(self, random: np.random.Generator, count: int, apart_from: Sequence[Voice] = ()) -> list[Voice]:
        if count > self._speakers:
            raise ValueError(f"speakers: expected at most the {self._speakers} there are, got {count}")
        cast: list[Voice] = []
        while len(cast) < count:
            voice = self._voices[random.integers(len(self._voices))]
            if all(voice.speaker is not other.speaker for other in [*cast, *apart_from]):
                cast.append(voice)
        return cast

    def _lay(
        self, random, voice: Voice, place: Placement, tracks: np.ndarray, activity: np.ndarray, cut: Cut
    ) -> None:
        """Cuts a piece of speech that starts with a word and lays it into the voice's track."""
        length = min(place.length, tracks.shape[1] - place.start)
        audio, speech = cut(random, voice, length)
        length = min(length, len(audio))
        ramp = min(80, length // 2)
        audio = audio[:length] * np.float32(10 ** (random.normal(0, 2) / 20))
        audio[:ramp] *= np.linspace(0, 1, ramp, dtype=np.float32)
        audio[length - ramp :] *= np.linspace(1, 0, ramp, dtype=np.float32)
        tracks[place.voice, place.start : place.start + length] += audio
        first, last = place.start // FRAME_STEP, -(-(place.start + length) // FRAME_STEP)
        frames = np.arange(first, min(last, len(activity)))
        middle = (frames * FRAME_STEP + FRAME_STEP // 2 - place.start) // VAD_STEP
        inside = (middle >= 0) & (middle < min(len(speech), length // VAD_STEP))
        frames, middle = frames[inside], middle[inside]
        activity[frames[speech[middle]], place.voice] = True

    def _seat(self, random, tracks: np.ndarray) -> np.ndarray:
        """Mixes the talkers as the microphones of a room record them."""
        speakers, samples = tracks.shape
        rooms = self._rooms if random.random() < self._conditions.room else None
        room = rooms[random.integers(len(rooms))] if rooms else None
        # Talkers sit at different distances: one of them may be 25 dB below the loudest.
        gains = 10 ** (np.clip(random.normal(0, self._conditions.levels_db, speakers), -16, 10) / 20)
        distance = self._conditions.distance * random.random()
        mix = np.zeros(samples, np.float32)
        for index in range(speakers):
            track = tracks[index] * np.float32(gains[index])
            if not track.any():
                continue
            if room is not None:
                response = farther(random, room[index % len(room)], distance)
                track = oaconvolve(track, response)[:samples]
            if random.random() < 0.3:
                track = tilt(random, track)
            if random.random() < 0.05:
                track = telephone(track)
            mix += track
        return mix

    def _surround(
        self, random, mix: np.ndarray, activity: np.ndarray, present: Sequence[Voice]
    ) -> np.ndarray:
        """Adds distant talkers, music and noise, and narrows the band at times."""
        samples, conditions = len(mix), self._conditions
        talking = activity.any(axis=1).repeat(FRAME_STEP)
        speech_rms = np.sqrt(np.mean(mix[: len(talking)][talking] ** 2)) if talking.any() else SPEECH_RMS
        if random.random() < conditions.babble:
            talkers = 1 if random.random() < 0.4 else int(random.integers(2, 6))
            babble = self._babble(random, samples, talkers, present)
            mix = mix + babble * np.float32(speech_rms * 10 ** (-random.uniform(*conditions.babble_db) / 20))
        if random.random() < conditions.music:
            music = self._noise.music(random, samples)
            mix = mix + music * np.float32(speech_rms * 10 ** (-random.uniform(0, 25) / 20))
        for _ in range(random.choice([1, 2], p=[0.7, 0.3])):
            noise = self._noise.draw(random, samples)
            mix = mix + noise * np.float32(speech_rms * 10 ** (-random.uniform(*conditions.noise_db) / 20))
        kind = random.random()
        if kind < TELEPHONE_SHARE:
            return telephone(mix)
        return narrow(random, mix) if kind < TELEPHONE_SHARE + conditions.narrow else mix

    def _babble(self, random, samples: int, talkers: int, present: Sequence[Voice]) -> np.ndarray:
        """Far talkers in a reverberant room, RMS 1: present, but nobody's turn."""
        total = np.zeros(samples, np.float32)
        for voice in self._cast(random, min(talkers, self._speakers - len(present)), present):
            audio, _ = cut_speech(random, voice, samples)
            total[: len(audio)] += audio[:samples]
        room = self._rooms[random.integers(len(self._rooms))]
        total = oaconvolve(total, farther(random, room[random.integers(len(room))], 1.0))[:samples]
        return (total / (np.sqrt(np.mean(total**2)) + 1e-9)).astype(np.float32)


def cut_speech(random: np.random.Generator, voice: Voice, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Up to ``length`` samples of the voice from the onset of a word, at SPEECH_RMS, with its
    labels."""
    onsets = voice.speaker.onsets
    return speech_from(voice, int(onsets[random.integers(len(onsets))]), length)


def speech_from(voice: Voice, onset: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Up to ``length`` samples of the voice from voice-activity frame ``onset``, as
    ``cut_speech``."""
    start = onset * VAD_STEP
    taken = int(length * voice.speed) + 1
    audio = voice.speaker.audio[start : start + taken].astype(np.float32) / 32768
    speech = voice.speaker.speech[start // VAD_STEP : (start + taken) // VAD_STEP]
    if voice.speed != 1.0:
        at = np.arange(0, len(audio) - 1, voice.speed)
        audio = np.interp(at, np.arange(len(audio)), audio).astype(np.float32)
        frames = (np.arange(len(audio) // VAD_STEP) * voice.speed).astype(int)
        speech = speech[np.minimum(frames, max(len(speech) - 1, 0))] if len(speech) else speech
    marked = speech.repeat(VAD_STEP)[: len(audio)]
    rms = np.sqrt(np.mean(audio[: len(marked)][marked] ** 2)) if marked.any() else 1.0
    return audio * np.float32(SPEECH_RMS / (rms + 1e-6)), speech
