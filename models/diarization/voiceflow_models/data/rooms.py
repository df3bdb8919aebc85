"""Room impulse responses by the image-source method (Allen & Berkley, 1979), made once into a bank."""

from __future__ import annotations

import numpy as np
import pyroomacoustics

from ..layout import SAMPLE_RATE

LONGEST_SAMPLES = SAMPLE_RATE * 4 // 10
"""Responses are cut at 0.4 s."""

DIRECT_SAMPLES = SAMPLE_RATE * 3 // 1000
"""The direct sound: the first 3 ms."""

DIRECT_LEAST = 0.3
"""Share of the loudest sample that the direct sound reaches."""


def make_bank(rooms: int, seats: int, seed: int) -> list[list[np.ndarray]]:
    """Makes ``rooms`` rooms, each a list of ``seats`` responses from a seat to one microphone.

    The direct sound of every response has amplitude 1 at sample 0, so that labels keep their time.
    """
    random = np.random.default_rng(seed)
    return [_make_room(random, seats) for _ in range(rooms)]


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
    return [_aligned(response) for response in room.rir[0]]


def _aligned(response: np.ndarray) -> np.ndarray:
    loud = np.abs(response)
    # The direct sound comes first, and is not always the loudest.
    peak = int(np.argmax(loud > DIRECT_LEAST * loud.max()))
    peak += int(np.argmax(loud[peak : peak + DIRECT_SAMPLES]))
    cut = response[peak : peak + LONGEST_SAMPLES]
    return (cut / cut[0]).astype(np.float32)


def farther(random: np.random.Generator, response: np.ndarray, distance: float) -> np.ndarray:
    """The response of a talker whose direct sound is up to 15 dB weaker, the more the greater the distance.

    What reflects stays as loud: so it is with a talker who turns away or sits behind something.
    """
    moved = response.copy()
    moved[:DIRECT_SAMPLES] *= np.float32(10 ** (-15 * distance * random.random() / 20))
    return moved
