"""Room impulse responses, by the image-source method (Allen & Berkley, 1979) or measured, in
banks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyroomacoustics
import soundfile

from ..layout import SAMPLE_RATE

LONGEST_SAMPLES = SAMPLE_RATE * 4 // 10
"""Responses are cut at 0.4 s."""

DIRECT_SAMPLES = SAMPLE_RATE * 3 // 1000
"""The direct sound: the first 3 ms."""

DIRECT_LEAST = 0.3
"""Share of the loudest sample that the direct sound reaches."""

LONGEST_MEASURED_SAMPLES = SAMPLE_RATE
"""Measured responses are cut at 1 s."""

MEASURED = {"kitchen": 5, "seminar": 5, "35-10": 1, "15-8": 1}
"""Parts of the names of measured responses (``rir/``), and how many rooms of the bank are of each:
speakers meet in a kitchen and a seminar room, seldom in halls."""

DAMPING_PER_S = (0.0, 6.0)
"""Furniture makes the echo die away faster, by a rate drawn from here (nats of amplitude a
second)."""

ECHO_DB = (-9.0, 3.0)
"""Level of a seat's echo relative to what was measured: seats are at other distances from the
microphone."""


def make_bank(rooms: int, seats: int, seed: int) -> list[list[np.ndarray]]:
    """Makes ``rooms`` rooms, each a list of ``seats`` responses from a seat to one microphone.

    The direct sound of every response has amplitude 1 at sample 0, so that labels keep their time.
    """
    random = np.random.default_rng(seed)
    return [_make_room(random, seats) for _ in range(rooms)]


def measured_bank(folder: Path, seats: int, seed: int) -> list[list[np.ndarray]]:
    """Rooms as ``make_bank`` gives them, out of measured responses (16 kHz mono FLAC) of
    ``folder``."""
    random = np.random.default_rng(seed)
    bank = []
    for name, rooms in MEASURED.items():
        paths = sorted(folder.glob(f"*{name}*.flac"))
        if not paths:
            raise FileNotFoundError(f"{folder}: expected measured room responses *{name}*.flac, found none")
        responses = [_read_response(path) for path in paths]
        for _ in range(rooms):
            damping = random.uniform(*DAMPING_PER_S)
            bank.append([_seat(random, responses, damping) for _ in range(seats)])
    return bank


def _read_response(path: Path) -> np.ndarray:
    audio, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE or audio.ndim != 1 or not audio.any():
        found = f"{rate} Hz, shape {audio.shape}, {np.count_nonzero(audio)} samples that are not zero"
        raise ValueError(f"{path.name}: expected a response of 16000 Hz mono, got {found}")
    return _aligned(audio, LONGEST_MEASURED_SAMPLES)


def _seat(random: np.random.Generator, responses: list[np.ndarray], damping: float) -> np.ndarray:
    """One of the responses with its echo damped and as loud as at some other distance."""
    seat = responses[random.integers(len(responses))].copy()
    echo = np.exp(-damping * np.arange(len(seat)) / SAMPLE_RATE) * 10 ** (random.uniform(*ECHO_DB) / 20)
    seat[DIRECT_SAMPLES:] *= echo[DIRECT_SAMPLES:].astype(np.float32)
    return seat


def _make_room(random: np.random.Generator, seats: int) -> list[np.ndarray]:
    size = random.uniform([3.0, 3.0, 2.4], [9.0, 7.0, 3.5])
    seconds = random.uniform(0.15, 0.8)
    absorption, order = pyroomacoustics.inverse_sabine(seconds, size)
    room = pyroomacoustics.ShoeBox(
        size, fs=SAMPLE_RATE, materials=pyroomacoustics.Material(absorption), max_order=min(order, 12)
    )
    room.add_microphone(random.uniform([0.5, 0.5, 0.7], size - [0.5, 0.5, 1.0]))
    for _ in range(seats):
        room.add_source(random.uniform([0.4, 0.4, 1.0], size - [0.4, 0.4, 0.4]))
    room.compute_rir()
    return [_aligned(response, LONGEST_SAMPLES) for response in room.rir[0]]


def _aligned(response: np.ndarray, longest: int) -> np.ndarray:
    loud = np.abs(response)
    # The direct sound comes first, and is not always the loudest.
    peak = int(np.argmax(loud > DIRECT_LEAST * loud.max()))
    peak += int(np.argmax(loud[peak : peak + DIRECT_SAMPLES]))
    cut = response[peak : peak + longest]
    return (cut / cut[0]).astype(np.float32)


def farther(random: np.random.Generator, response: np.ndarray, distance: float) -> np.ndarray:
    """The response of a talker whose direct sound is up to 15 dB weaker, the more the greater the
    distance.

    What reflects stays as loud: so it is with a talker who turns away or sits behind something.
    """
    moved = response.copy()
    moved[:DIRECT_SAMPLES] *= np.float32(10 ** (-15 * distance * random.random() / 20))
    return moved
