"""A stretch of time in which one speaker talks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import _abi


@dataclass(frozen=True)
class Segment:
    """A stretch of time in which one speaker talks."""

    start: float
    """Seconds from the beginning of the recording or stream."""
    end: float
    """Seconds, greater than `start`."""
    speaker: str
    """Label, such as "SPEAKER_00". Of a stream's segment it numbers the stream's speakers, which
    `Stream.final_speakers` maps to those of `Stream.result`."""
    speaker_index: int
    """Number of the speaker, from 0."""
    confidence: float
    """Mean probability, 0 to 1, that the speaker is talking."""
    overlap: bool
    """Whether another speaker talks during some part of it."""
    final: bool
    """False for a segment of a stream that may still change; it holds until `Stream.updates`
    changes."""

    def __repr__(self) -> str:
        marks = f"{', overlap' if self.overlap else ''}{'' if self.final else ', provisional'}"
        return (
            f"<Segment: {self.start:.2f} to {self.end:.2f} s, {self.speaker}, "
            f"confidence {self.confidence:.2f}{marks}>"
        )

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


def label(speaker: int) -> str:
    """What the library calls a speaker of this number."""
    return f"SPEAKER_{speaker:02}"


def from_record(record: tuple[Any, ...], speaker: str, final: bool) -> Segment:
    """The segment that `record`, a vf_segment as a tuple, describes."""
    start, end, index, confidence, flags, _ = record
    return Segment(start, end, speaker, index, confidence, bool(flags & _abi.SEGMENT_OVERLAP), final)
