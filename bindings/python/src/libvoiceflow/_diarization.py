"""Who spoke when in one recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ctypes import byref, c_double, c_int32, c_size_t
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from . import _abi, _timeline
from ._arguments import text
from ._enums import WarningCode
from ._handle import Handle, Owned, address, read_number, read_text
from ._library import check, library
from ._segment import Segment, from_record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pyannote.core import Annotation

_TEXT_ROOM = 1 << 16


@dataclass(frozen=True, eq=False)
class Speaker:
    """One speaker of a recording."""

    index: int
    label: str
    """Such as "SPEAKER_00", in the order of first appearance."""
    speech_s: float
    """Total speaking time in seconds."""
    embedding: NDArray[np.float32] = field(repr=False)
    """The embedding, [embedding_dim], of unit length."""

    def __repr__(self) -> str:
        return f"<Speaker: {self.label}, {self.speech_s:.1f} s of speech>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Speaker):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return self.index, self.label, self.speech_s, self.embedding.tobytes()


@dataclass(frozen=True)
class AudioWarning:
    """Something about a recording with which its result should be read."""

    code: WarningCode
    time: float
    """Where in the recording it is, in seconds."""
    text: str


class Diarization(Handle, Sequence[Segment]):
    """Who spoke when: a sequence of `Segment`, by start, then end, then speaker.

    It never changes, needs nothing of the diarizer that made it, and may be read by any number of
    threads. It can be pickled and copied, but for its warnings and the tracks and channels in
    labels; two are equal where their segments, speakers and embeddings are.
    """

    def __init__(self, owned: Owned) -> None:
        """Made by `Diarizer.process` and `Stream.finish`."""
        self._owned = owned

    def __reduce__(self) -> tuple[Any, ...]:
        return _of_parts, self._parts()

    def _parts(self) -> tuple[float, bytes, bytes, int]:
        """Duration, segments and embeddings as bytes, and the number of speakers."""
        voices = b"".join(speaker.embedding.tobytes() for speaker in self.speakers)
        return self.duration, self.segments.tobytes(), voices, len(self.speakers)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Diarization) or self.closed or other.closed:
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((self.duration, self.segments.tobytes()))

    @property
    def duration(self) -> float:
        """Length of the recording in seconds."""
        owned = self._borrow()
        return float(read_number(library().vf_diarization_duration, c_double(), owned.pointer))

    @property
    def segments(self) -> NDArray[np.void]:
        """A structured array with the fields `start_s`, `end_s`, `speaker`, `confidence` and
        `flags`."""
        self._borrow()
        return self._segments

    @property
    def speakers(self) -> tuple[Speaker, ...]:
        """All speakers, at most 100; none where there is no speech."""
        self._borrow()
        return self._speakers

    @cached_property
    def warnings(self) -> tuple[AudioWarning, ...]:
        """What was skipped in the recording, what is missing, and what was chosen without being
        asked for; at most 100."""
        owned = self._borrow()
        count = read_number(library().vf_diarization_warning_count, c_size_t(), owned.pointer)
        return tuple(_warning(owned, index) for index in range(count))

    @cached_property
    def _segments(self) -> NDArray[np.void]:
        owned, vf = self._borrow(), library()
        n = c_size_t(read_number(vf.vf_diarization_segment_count, c_size_t(), owned.pointer))
        segments = np.empty(n.value, _abi.SEGMENT_DTYPE)
        check(vf.vf_diarization_segments(owned.pointer, address(segments), segments.size, byref(n)))
        segments.flags.writeable = False
        return segments

    @cached_property
    def _speakers(self) -> tuple[Speaker, ...]:
        owned = self._borrow()
        count = read_number(library().vf_diarization_speaker_count, c_size_t(), owned.pointer)
        return tuple(_speaker(owned, index) for index in range(count))

    def __len__(self) -> int:
        return self.segments.size

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> list[Segment]: ...
    def __getitem__(self, index: int | slice) -> Segment | list[Segment]:
        if isinstance(index, slice):
            return [self._segment(record) for record in self.segments[index].tolist()]
        return self._segment(self.segments[index].item())

    def __iter__(self) -> Iterator[Segment]:
        return iter(self[:])

    def _segment(self, record: tuple[Any, ...]) -> Segment:
        return from_record(record, self._speakers[record[2]].label, final=True)

    def __repr__(self) -> str:
        if self.closed:
            return "<Diarization: closed>"
        return f"<Diarization: {self.duration:.1f} s, {len(self)} segments, {len(self.speakers)} speakers>"

    def to_rttm(self, name: str) -> str:
        """RTTM, one line for each segment. White space in `name`, the recording's, becomes "_"."""
        return self._text("rttm", text(name, "name"))

    def to_json(self, name: str, *, embeddings: bool = False) -> str:
        """JSON: the recording called `name`, its speakers, and the segments.

        embeddings: whether the speakers have their embeddings, which are biometric data.
        """
        return self._text("json", text(name, "name"), int(embeddings))

    def to_srt(self) -> str:
        """SubRip subtitles, one cue with the speaker's label for each segment."""
        return self._text("srt")

    def to_vtt(self) -> str:
        """WebVTT subtitles, one cue for each segment, with the speaker as its voice and its
        text."""
        return self._text("vtt")

    def _text(self, form: str, *arguments: object) -> str:
        owned = self._borrow()
        return read_text(
            getattr(library(), f"vf_diarization_to_{form}"), owned.pointer, *arguments, room=_TEXT_ROOM
        )

    def to_annotation(self, uri: str | None = None) -> Annotation:
        """The result for pyannote.core, which must be installed; `uri` is the name of the
        recording."""
        from pyannote.core import Annotation
        from pyannote.core import Segment as Stretch

        annotation = Annotation(uri=uri)
        for track, segment in enumerate(self):
            annotation[Stretch(segment.start, segment.end), track] = segment.speaker
        return annotation

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws a row for each speaker on `ax` or new axes of matplotlib, which must be
        installed."""
        return _timeline.plot(self, ax)

    def _repr_html_(self) -> str:
        """The timeline for a notebook."""
        return _timeline.html(self)


def _of_parts(duration: float, segments: bytes, voices: bytes, speakers: int) -> Diarization:
    """The result with these parts."""
    records = np.frombuffer(segments, _abi.SEGMENT_DTYPE)
    values = np.frombuffer(voices, np.float32)
    dim = values.size // speakers if speakers else 0
    places = address(records), records.size, address(values), speakers, dim
    return Diarization(Owned("vf_diarization_create", "vf_diarization_destroy", duration, *places))


def _warning(owned: Owned, index: int) -> AudioWarning:
    code, time_s = c_int32(), c_double()
    say = library().vf_diarization_warning
    said = read_text(say, owned.pointer, index, byref(code), byref(time_s))
    return AudioWarning(WarningCode(code.value), time_s.value, said)


def _speaker(owned: Owned, index: int) -> Speaker:
    vf = library()
    n = c_size_t()
    vf.vf_diarization_speaker_embedding(owned.pointer, index, None, 0, byref(n))
    embedding = np.empty(n.value, np.float32)
    check(
        vf.vf_diarization_speaker_embedding(
            owned.pointer, index, address(embedding), embedding.size, byref(n)
        )
    )
    embedding.flags.writeable = False
    speech_s = read_number(vf.vf_diarization_speaker_speech, c_double(), owned.pointer, index)
    return Speaker(
        index, read_text(vf.vf_diarization_speaker_label, owned.pointer, index), speech_s, embedding
    )
