"""One source of live audio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from ctypes import byref, c_double, c_size_t, c_uint64

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi, _options
from ._arguments import UINT32_MAX, frames, hertz, whole
from ._aside import aside
from ._call import LongCall, Progress, ShortCall, answer
from ._cancel import Cancel
from ._diarization import Diarization
from ._errors import ClosedError, InvalidArgumentError
from ._handle import Handle, Owned, address, read_number
from ._library import check, library
from ._news import News
from ._segment import Segment, from_record, label
from ._turns import Turns

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
        self, diarizer: Owned, sample_rate: float, channels: int, options: Mapping[str, object]
    ) -> None:
        """Made by `Diarizer.stream`."""
        self._rate = hertz(sample_rate)
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
        self._turns = Turns()

    def __repr__(self) -> str:
        if self.closed:
            return "<Stream: closed>"
        finished = ", finished" if self.result is not None else ""
        channels = "1 channel" if self._channels == 1 else f"{self._channels} channels"
        return f"<Stream: {self._rate} Hz, {channels}, latency {self.latency_s:.2f} s{finished}>"

    def close(self) -> None:
        """Lets go of the memory. Calls of other threads that are under way end first. Can be repeated."""
        super().close()
        self._news.tell()

    def push(self, samples: ArrayLike) -> None:
        """Takes the next samples and analyses the windows that they complete.

        samples: [n_frames] or [n_frames, channels], of the types that `Diarizer.process` takes; any number of
            frames, from none to minutes of them. They must not be changed meanwhile.

        All samples are taken or none: after `CancelledError`, `DeadlineError`, `OnnxRuntimeError`,
        `ModelError` and Ctrl-C they are taken, and the next push, also one of no samples, goes on with them.
        Ctrl-C ends other pushes and finishes of this stream too.
        """
        owned = self._borrow()
        self._not_while_finishing("push")
        values, n_frames, channels = frames(samples, "samples")
        nothing = values.ndim == 1 and n_frames == 0
        if channels != self._channels and not nothing:
            shape = "[n_frames]" if self._channels == 1 else f"[n_frames, {self._channels}]"
            raise InvalidArgumentError(f"samples: expected the shape {shape}, got {list(values.shape)}")
        vf = library()
        function = vf.vf_stream_push_i16 if values.dtype == np.int16 else vf.vf_stream_push_f32

        def work() -> None:
            check(function(owned.pointer, address(values), n_frames))

        try:
            with self._turns.call() as others:
                long = others or self._behind or n_frames > _LONG_S * self._rate
                self._behind = True
                if long:
                    LongCall(work, end=self._end_of(owned)).run()
                else:
                    with ShortCall():
                        work()
                self._behind = False
        finally:
            self._news.tell()

    async def apush(self, samples: ArrayLike) -> None:
        """As `push`, on a thread, while the event loop goes on. Await it before the next one.

        Where the task is cancelled, the push ends soon and then `asyncio.CancelledError` is raised. Its
        samples are taken, as after `CancelledError` of `push`; other pushes and finishes of this stream end
        too.
        """
        await aside(self._end_of(self._borrow()), self.push, samples)

    async def afinish(self) -> Diarization:
        """As `finish`, on a thread, while the event loop goes on.

        Where the task is cancelled, the finish ends soon and then `asyncio.CancelledError` is raised. Finish
        again then, unless the finish was done by then: `result` tells.
        """
        cancel = Cancel()
        return await aside(cancel.set, lambda: self.finish(cancel=cancel))

    def read(self) -> list[Segment]:
        """The segments that were not read yet: first the final ones. Waits for no push."""
        owned, vf = self._borrow(), library()
        pages: list[tuple[int, list[Segment]]] = []
        n = c_size_t(_READ_ROOM)
        while n.value == _READ_ROOM:
            updates = self._updates(owned)
            room = np.empty(_READ_ROOM, _abi.SEGMENT_DTYPE)
            check(vf.vf_stream_read(owned.pointer, address(room), room.size, byref(n)))
            page = [
                from_record(record, label(record[2]), bool(record[4] & _abi.SEGMENT_FINAL))
                for record in room[: n.value].tolist()
            ]
            pages.append((updates, page))
        if len(pages) == 1:
            return page
        # A push between two pages puts other provisional segments in the place of those read before it.
        updates = self._updates(owned)
        return [
            segment
            for read_at, segments in pages
            for segment in segments
            if segment.final or read_at == updates or segments is page
        ]

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
        wait for a thread that pushes into this stream. A finish waits for pushes that are under way, also
        where it is cancelled.
        """
        owned = self._borrow()
        self._not_while_finishing("finish")
        # In a forked child, where turns of the parent's threads never end, this is refused.
        self._updates(owned)

        def work() -> Diarization:
            with self._turns.finish():
                result = Diarization(
                    Owned("vf_stream_finish", "vf_diarization_destroy", owned.pointer, answer, None)
                )
                self.result = result
            return result

        try:
            with self._turns.call(), self._turns.telling() if progress is not None else nullcontext():
                return LongCall(work, progress, cancel).run()
        finally:
            self._news.tell()

    def cancel(self) -> None:
        """Ends pushes and finishes of this stream on other threads, with `CancelledError` there."""
        owned = self._borrow()
        check(library().vf_stream_cancel(owned.pointer))

    def reset(self) -> None:
        """Forgets all that was heard: the stream is as new.

        Waits for pushes and finishes of this stream that are under way; Ctrl-C ends them.
        """
        owned = self._borrow()
        self._not_while_finishing("reset")
        self._updates(owned)

        def work() -> None:
            with self._turns.reset():
                check(library().vf_stream_reset(owned.pointer))
                self.result, self._behind = None, False

        with self._turns.call():
            LongCall(work, end=self._end_of(owned)).run()

    @property
    def updates(self) -> int:
        """How many times the provisional segments were replaced: forget them when it changes."""
        return self._updates(self._borrow())

    @property
    def latency_s(self) -> float:
        """Seconds until what is told of a moment never changes."""
        owned = self._borrow()
        return float(read_number(library().vf_stream_latency_ms, c_double(), owned.pointer)) / 1000

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
        n, status = c_size_t(), _abi.BUFFER_TOO_SMALL
        while status == _abi.BUFFER_TOO_SMALL:
            numbers = np.empty(n.value, np.int32)
            status = vf.vf_stream_final_speakers(owned.pointer, address(numbers), numbers.size, byref(n))
        check(status)
        # Fewer where another thread has reset the stream and finished it again.
        return [None if number < 0 else number for number in numbers[: n.value].tolist()]

    def _not_while_finishing(self, what: str) -> None:
        # It would wait for the finish, which waits for it.
        if self._turns.is_telling:
            raise InvalidArgumentError(
                f"{what}: expected outside the progress callback of this stream's finish"
            )

    @staticmethod
    def _updates(owned: Owned) -> int:
        n = c_uint64()
        check(library().vf_stream_updates(owned.pointer, byref(n)))
        return n.value

    @staticmethod
    def _end_of(owned: Owned) -> Callable[[], object]:
        return lambda: library().vf_stream_cancel(owned.pointer)
