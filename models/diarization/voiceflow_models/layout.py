"""Constants that the simulator, the network and the exported file share."""

SAMPLE_RATE = 16_000
"""Samples a second of all audio."""

FRAME_STEP = 640
"""Samples from one output frame to the next (40 ms)."""

WINDOW_S = 10
"""Length of a training and inference window in seconds."""

WINDOW_SAMPLES = WINDOW_S * SAMPLE_RATE
WINDOW_FRAMES = WINDOW_SAMPLES // FRAME_STEP

MAX_SPEAKERS = 3
"""Local speakers of one window."""

POWERSET = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
"""Sets of speakers that talk at once, class by class: at most two (Plaquet & Bredin, Interspeech
2023)."""


def frames_of(samples: int) -> int:
    """Output frames of every network for this many samples: whole frames only."""
    return samples // FRAME_STEP
