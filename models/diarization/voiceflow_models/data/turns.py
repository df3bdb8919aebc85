"""Who talks when in a simulated conversation: turns, pauses, overlap, interruptions,
back-channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..layout import SAMPLE_RATE

LEAST_TURN_S = 0.25
LONGEST_TURN_S = 25.0

CIRCLE_SHARES = (0.2, 0.5, 0.3)
"""How often one, two and three speakers carry a stretch of conversation; the others hardly say a
word."""

CIRCLE_S = 25.0
"""Mean time until others carry it."""

RETURN_SHARE = 0.45
"""Turns that go back to whom the one before was taken from, beyond what chance brings."""

SAME_SHARE = 0.05
"""Turns after which the same voice goes on."""

OUTSIDE_SHARE = 0.06
"""Turns taken by somebody outside the circle."""


@dataclass
class Placement:
    """``length`` samples of one voice, to be laid at ``start``."""

    voice: int
    start: int
    length: int


@dataclass
class Manner:
    """How the speakers of one conversation talk.

    Over many conversations the turns are as long as those of AMI meetings: 10, 25, 50, 75, 90 % of
    them are shorter than 0.4, 0.6, 1.0, 2.3, 6.7 s there, a tenth of the speech is overlapped, and
    of 10 s in which anybody talks 32 % have one speaker, 44 % two, 24 % three, and hardly any four.
    """

    turn_s: float
    """Median length of a turn."""
    spread: float
    """Deviation of its logarithm."""
    overlap: float
    """How often a turn begins before the one before it has ended."""
    pause: float
    """How often nobody talks for a while."""
    backchannel: float
    """How often somebody says a word or two inside a turn of another."""


def draw_manner(random: np.random.Generator, quiet: float, overlap: float) -> Manner:
    """Lively talk and talk in order; in a share ``quiet`` of cases lectures, or rooms with hardly a
    word.

    ``overlap`` scales how often speakers begin before others have ended, and how often they say a
    word inside.
    """
    kind = random.random()
    if kind < quiet / 2:
        return Manner(random.uniform(0.4, 1.5), 0.7, 0.1, random.uniform(0.5, 0.95), 0.05)
    if kind < quiet:
        return Manner(random.uniform(4.0, 9.0), 0.8, 0.15, 0.05, random.uniform(0.2, 0.6))
    lively = random.random()
    return Manner(
        turn_s=random.uniform(0.8, 1.8),
        spread=random.uniform(1.1, 1.5),
        overlap=overlap * (0.25 + 0.4 * lively),
        pause=0.15 * (1.2 - lively),
        backchannel=overlap * (0.2 + 0.4 * lively),
    )


def plan_turns(random: np.random.Generator, samples: int, speakers: int, manner: Manner) -> list[Placement]:
    """Placements of a conversation of ``samples`` samples; what lies before its beginning is cut
    off."""
    places: list[Placement] = []
    if speakers == 0:
        return places
    second = SAMPLE_RATE
    clock = int((random.uniform(-4, 1) if random.random() < 0.75 else random.uniform(0, 5)) * second)
    floor = _Floor(random, speakers)
    while clock < samples:
        talker = floor.next(clock)
        drawn = random.lognormal(np.log(manner.turn_s), manner.spread)
        length = int(np.clip(drawn, LEAST_TURN_S, LONGEST_TURN_S) * second)
        places.append(Placement(talker, clock, length))
        if speakers > 1 and length > 1.5 * second:
            # A long turn gives more occasions to say "yes".
            for _ in range(random.poisson(manner.backchannel * min(length / (4 * second), 3))):
                other = floor.listener()
                at = clock + int(random.uniform(0.1, 0.85) * length)
                places.append(Placement(other, at, int(random.uniform(0.25, 1.2) * second)))
        clock += length + _gap(random, manner, length)
    placed = _without_self_overlap([cut for cut in map(_clip, places) if cut is not None])
    return [place for place in placed if place.start < samples]


class _Floor:
    """Who talks next: a few speakers carry a stretch of conversation, turns go back and forth
    between two."""

    def __init__(self, random: np.random.Generator, speakers: int):
        self._random, self._speakers = random, speakers
        self._circle: list[int] = []
        self._until = -np.inf
        self._talker = self._before = int(random.integers(speakers))

    def next(self, clock: int) -> int:
        """The talker of the turn that begins at sample ``clock``."""
        random = self._random
        if clock >= self._until:
            size = min(1 + int(random.choice(len(CIRCLE_SHARES), p=CIRCLE_SHARES)), self._speakers)
            self._circle = random.permutation(self._speakers)[:size].tolist()
            self._until = clock + random.exponential(CIRCLE_S) * SAMPLE_RATE
        if random.random() < SAME_SHARE:
            return self._talker
        if self._before in self._circle and random.random() < RETURN_SHARE:
            chosen = self._before
        elif random.random() < OUTSIDE_SHARE:
            chosen = int(random.integers(self._speakers))
        else:
            chosen = self._circle[random.integers(len(self._circle))]
        if chosen != self._talker:
            self._before, self._talker = self._talker, chosen
        return self._talker

    def listener(self) -> int:
        """Somebody who does not have the turn: of the circle, as a rule."""
        random = self._random
        others = [speaker for speaker in self._circle if speaker != self._talker]
        if others and random.random() >= OUTSIDE_SHARE:
            return others[random.integers(len(others))]
        return (self._talker + int(random.integers(1, self._speakers))) % self._speakers


def _without_self_overlap(places: list[Placement]) -> list[Placement]:
    """Nobody talks over themselves: what would is cut to begin where the same voice has ended."""
    kept, free = [], {}
    for place in sorted(places, key=lambda place: place.start):
        end = place.start + place.length
        start = max(place.start, free.get(place.voice, 0))
        if end - start >= LEAST_TURN_S * SAMPLE_RATE:
            kept.append(Placement(place.voice, start, end - start))
            free[place.voice] = end
    return kept


def close_pauses(activity: np.ndarray, shorter_than: int) -> np.ndarray:
    """Labels [frames, speakers] in which a speaker's pauses of fewer frames belong to the turn
    around them.

    A pause in which somebody else talks stays one.
    """
    closed, silent = activity.copy(), ~activity.any(axis=1)
    for speaker in range(activity.shape[1]):
        edges = np.flatnonzero(np.diff(activity[:, speaker].astype(np.int8), prepend=0, append=0))
        for end, begin in zip(edges[1:-1:2], edges[2::2], strict=True):
            if begin - end < shorter_than and silent[end:begin].all():
                closed[end:begin, speaker] = True
    return closed


def _gap(random: np.random.Generator, manner: Manner, length: int) -> int:
    """Time to the next turn in samples; negative is an overlap, at most half of the turn."""
    kind = random.random()
    if kind < manner.pause:
        seconds = random.uniform(1.0, 6.0)
    elif kind < manner.pause + manner.overlap:
        seconds = -random.exponential(0.6)
    else:
        seconds = random.exponential(0.4)
    return max(int(seconds * SAMPLE_RATE), -length // 2)


def _clip(place: Placement) -> Placement | None:
    if place.start >= 0:
        return place
    left = place.length + place.start
    return Placement(place.voice, 0, left) if left > SAMPLE_RATE // 5 else None
