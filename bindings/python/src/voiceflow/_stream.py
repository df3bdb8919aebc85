"""One source of live audio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from ctypes import byref, c_double, c_size_t, c_uint64
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi, _options
from ._arguments import UINT32_MAX, frames, whole
from ._call import LongCall, Progress, ShortCall, answer
from ._cancel import Cancel
from ._diarization import Diarization
from ._errors import ClosedError, InvalidArgumentError
from ._handle import Handle, Owned, address, read_number
from ._library import check, library
from ._news import News
from ._segment import Segment, from_record, label

Result = TypeVar("Result")

# A push of as much audio takes some tenths of a second.
_LONG_S = 10
_READ_ROOM = 64


class Stream(Handle):
    """One source of live audio, made by `Diarizer.stream`.

        with diarizer.stream(sample_rate=48_000, latency_s=0.5) as stream:
            for segment in stream.run(chunks):
                ...

    Any thread may use it. Segments come provisional with the next window, at most 0.4 s after their audio,
    and final once, after the latency.
    """

    result: Diarization | None = None
    """What `finish` gave."""

    def __init__(
        self, diarizer: Owned, sample_rate: int, channels: int, options: Mapping[str, object]
    ) -> None:
        """Made by `Diarizer.stream`."""
        self._rate = whole(sample_rate, "sample_rate", UINT32_MAX)
        self._channels = whole(channels, "channels", UINT32_MAX)
        given = _options.build(_options.StreamOptions.__optional_keys__, options)
        self._owned = Owned(
            "vf_stream_create",
            "vf_stream_destroy",
            diarizer.pointer,
            given.pointer,
            self._rate,
            self._channels,
        )
        self._news = News()
        # Whether earlier pushes left audio that is not analysed.
        self._behind = False
        # The thread whose finish is telling its progress.
        self._finishing: int | None = None

    def close(self) -> None:
        """Lets go of the memory. Calls of other threads that are under way end first. Can be repeated."""
        super().close()
        self._news.tell()

    def push(self, samples: ArrayLike) -> None:
        """Takes the next samples and analyses the windows that they complete.

        samples: [n_frames] or [n_frames, channels], of the types that `Diarizer.process` takes; any number of
            frames, from none to minutes of them. They must not be changed meanwhile.

        All samples are taken or none: after `CancelledError`, `DeadlineError`, `OnnxRuntimeError` and Ctrl-C
        they are taken, and the next push, also one of no samples, goes on with them.
        """
        owned = self._borrow()
        self._not_while_finishing("push")
        values, n_frames, channels = frames(samples, "samples")
        if channels != self._channels:
            shape = "[n_frames]" if self._channels == 1 else f"[n_frames, {self._channels}]"
            raise InvalidArgumentError(f"samples: expected the shape {shape}, got {list(values.shape)}")
        vf = library()
        function = vf.vf_stream_push_i16 if values.dtype == np.int16 else vf.vf_stream_push_f32

        def work() -> None:
            check(function(owned.pointer, address(values), n_frames))

        long = self._behind or n_frames > _LONG_S * self._rate
        self._behind = True
        try:
            if long:
                LongCall(work, end=self._end_of(owned)).run()
            else:
                with ShortCall():
                    work()
            self._behind = False
        finally:
            self._news.tell()

    async def apush(self, samples: ArrayLike) -> None:
        """As `push`, on a thread, while the event loop goes on. Await it before the next one."""
        await self._aside(self.push, samples)

    async def afinish(self) -> Diarization:
        """As `finish`, on a thread, while the event loop goes on."""
        return await self._aside(self.finish)

    async def _aside(self, function: Callable[..., Result], *arguments: object) -> Result:
        try:
            return await asyncio.to_thread(function, *arguments)
        except asyncio.CancelledError:
            if not self.closed:
                self.cancel()
            raise

    def read(self) -> list[Segment]:
        """The segments that were not read yet: first the final ones. Waits for no push."""
        owned, vf = self._borrow(), library()
        segments: list[Segment] = []
        n = c_size_t(_READ_ROOM)
        while n.value == _READ_ROOM:
            room = np.empty(_READ_ROOM, _abi.SEGMENT_DTYPE)
            check(vf.vf_stream_read(owned.pointer, address(room), room.size, byref(n)))
            segments.extend(
                from_record(record, label(record[2]), bool(record[4] & _abi.SEGMENT_FINAL))
                for record in room[: n.value].tolist()
            )
        return segments

    def __iter__(self) -> Iterator[Segment]:
        """What can be read at this moment."""
        return iter(self.read())

    def run(self, chunks: Iterable[ArrayLike]) -> Iterator[Segment]:
        """Pushes each of `chunks`, then finishes, and gives the segments as they come. See `result`."""
        for chunk in chunks:
            self.push(chunk)
            yield from self.read()
        self.finish()
        yield from self.read()

    async def __aiter__(self) -> AsyncIterator[Segment]:
        """The segments as they come from pushes of other tasks, until the stream is finished or closed."""
        while True:
            news = self._news.next()
            ended = self.result is not None
            try:
                segments = self.read()
            except ClosedError:
                return
            for segment in segments:
                yield segment
            if ended and not segments:
                return
            if not segments:
                await news

    def finish(self, *, progress: Progress | None = None, cancel: Cancel | None = None) -> Diarization:
        """Ends the stream: all segments become final, and what was heard is clustered anew as a whole.

        The speakers of the result are numbered anew, see `final_speakers`. Afterwards the stream takes no
        audio until it is reset. `progress` and `cancel` are those of `Diarizer.process`; `progress` must not
        wait for a thread that pushes into this stream.
        """
        owned = self._borrow()
        self._not_while_finishing("finish")

        def work() -> Owned:
            return Owned("vf_stream_finish", "vf_diarization_destroy", owned.pointer, answer, None)

        try:
            if progress is not None:
                self._finishing = threading.get_ident()
            self.result = Diarization(LongCall(work, progress, cancel, self._end_of(owned)).run())
        finally:
            self._finishing = None
            self._news.tell()
        return self.result

    def cancel(self) -> None:
        """Ends pushes and finishes of this stream on other threads, with `CancelledError` there."""
        owned = self._borrow()
        check(library().vf_stream_cancel(owned.pointer))

    def reset(self) -> None:
        """Forgets all that was heard: the stream is as new."""
        owned = self._borrow()
        self._not_while_finishing("reset")
        check(library().vf_stream_reset(owned.pointer))
        self.result, self._behind = None, False

    @property
    def updates(self) -> int:
        """How often what is not final was told anew: forget what was not final when it changes."""
        owned = self._borrow()
        return int(read_number(library().vf_stream_updates, c_uint64(), owned.pointer))

    @property
    def latency_ms(self) -> float:
        """Milliseconds until what is told of a moment never changes."""
        owned = self._borrow()
        return float(read_number(library().vf_stream_latency_ms, c_double(), owned.pointer))

    @property
    def speaker_count(self) -> int:
        """Speakers heard so far."""
        owned = self._borrow()
        return int(read_number(library().vf_stream_speaker_count, c_size_t(), owned.pointer))

    def speaker_embedding(self, speaker: int) -> NDArray[np.float32]:
        """The voice of a speaker as it is known by now: [embedding_dim], of unit length."""
        owned, vf = self._borrow(), library()
        index, n = whole(speaker, "speaker", 2**31 - 1), c_size_t()
        status = vf.vf_stream_speaker_embedding(owned.pointer, index, None, 0, byref(n))
        if status != _abi.BUFFER_TOO_SMALL:
            check(status)
        embedding = np.empty(n.value, np.float32)
        check(
            vf.vf_stream_speaker_embedding(owned.pointer, index, address(embedding), embedding.size, byref(n))
        )
        return embedding

    def final_speakers(self) -> list[int | None]:
        """For each speaker of the finished stream the number in the result; None for nobody there."""
        owned, vf = self._borrow(), library()
        n = c_size_t()
        status = vf.vf_stream_final_speakers(owned.pointer, None, 0, byref(n))
        if status != _abi.BUFFER_TOO_SMALL:
            check(status)
        numbers = np.empty(n.value, np.int32)
        check(vf.vf_stream_final_speakers(owned.pointer, address(numbers), numbers.size, byref(n)))
        return [None if number < 0 else number for number in numbers.tolist()]

    def _not_while_finishing(self, what: str) -> None:
        # It would wait for the finish, which waits for it.
        if self._finishing == threading.get_ident():
            raise InvalidArgumentError(
                f"{what}: expected outside the progress callback of this stream's finish"
            )

    @staticmethod
    def _end_of(owned: Owned) -> Callable[[], object]:
        return lambda: library().vf_stream_cancel(owned.pointer)
