"""One source of live audio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from ctypes import byref, c_double, c_size_t, c_uint64
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi, _options
from ._arguments import UINT32_MAX, frames, hertz, whole
from ._aside import aside
from ._call import LongCall, Result, make
from ._calls import Calls
from ._conditions import CallOptions, Conditions, ResultOptions
from ._diarization import Diarization
from ._errors import ClosedError, InvalidArgumentError
from ._handle import Handle, Owned, address, read_number
from ._library import check, library
from ._news import News
from ._options import takes
from ._segment import Segment, from_record, label

if TYPE_CHECKING:
    from typing_extensions import Unpack

# A push of as much audio takes some tenths of a second.
_LONG_S = 10
_READ_ROOM = 64


class Stream(Handle):
    """One source of live audio, made by `Diarizer.stream`.

        with diarizer.stream(sample_rate=48_000, latency_s=0.5) as stream:
            for segment in stream.run(chunks):
                ...

    Any thread may use it. Segments come provisional with the next window, at most 0.4 s after their
    audio, and final once, after the latency.
    """

    def __init__(
        self,
        diarizer: Owned,
        sample_rate: float,
        channels: int,
        options: Mapping[str, object],
        conditions: Conditions,
    ) -> None:
        """Made by `Diarizer.stream`."""
        rate, many = hertz(sample_rate), whole(channels, "channels", UINT32_MAX)
        given = _options.build(_options.StreamOptions.__optional_keys__, options)

        def work(call: object) -> Owned:
            arguments = (diarizer.pointer, given.pointer, rate, many, call)
            return Owned("vf_stream_create", "vf_stream_destroy", *arguments)

        self._rate, self._channels = rate, many
        self._owned = LongCall(work, conditions).run()
        self._result: Diarization | None = None
        self._news = News()
        # Whether earlier pushes left audio that is not analysed.
        self._behind = False
        self._calls = Calls()

    def __repr__(self) -> str:
        if self.closed:
            return "<Stream: closed>"
        finished = ", finished" if self.result is not None else ""
        channels = "1 channel" if self._channels == 1 else f"{self._channels} channels"
        return f"<Stream: {self._rate} Hz, {channels}, latency {self.latency_s:.2f} s{finished}>"

    def close(self) -> None:
        """Lets go of the memory. Calls of other threads that are under way end first. Can be
        repeated."""
        # The library cannot be asked afterwards.
        self._result = self.result
        super().close()
        self._news.announce()

    @takes(CallOptions)
    def push(self, samples: ArrayLike, **call: Unpack[CallOptions]) -> None:
        """Takes the next samples and analyses the windows that they complete.

        samples: [n_frames] or [n_frames, channels], of the types that `Diarizer.process` takes; any
            number of frames, from none to minutes of them. They must not be changed meanwhile.

        All samples are taken or none: after `CancelledError`, `DeadlineError`, `OnnxRuntimeError`,
        `ModelError` and Ctrl-C they are taken, and the next push, also one of no samples, goes on
        with them. Calls of one stream wait for each other, in the order in which they came.

        Ctrl-C ends the call. Conditions of it, those of `CallOptions`:

        """
        work, n_frames = self._taking(samples)
        conditions = self._conditions(call, "push") if call else None
        if conditions is None:
            self._calls.check("push")
        try:
            with self._calls.call() as waits:
                long = waits or self._behind or n_frames > _LONG_S * self._rate
                self._behind = True
                make(work, conditions, long=long)
                self._behind = False
        finally:
            self._news.announce()

    def _taking(self, samples: ArrayLike) -> tuple[Callable[[object], None], int]:
        """What pushes these samples, and the number of their frames."""
        owned = self._borrow()
        values, n_frames, channels = frames(samples, "samples")
        nothing = values.ndim == 1 and n_frames == 0
        if channels != self._channels and not nothing:
            shape = "[n_frames]" if self._channels == 1 else f"[n_frames, {self._channels}]"
            raise InvalidArgumentError(f"samples: expected the shape {shape}, got {list(values.shape)}")
        vf = library()
        function = vf.vf_stream_push_i16 if values.dtype == np.int16 else vf.vf_stream_push_f32

        def work(call: object) -> None:
            check(function(owned.pointer, address(values), n_frames, call))

        return work, n_frames

    @takes(CallOptions)
    async def apush(self, samples: ArrayLike, **call: Unpack[CallOptions]) -> None:
        """As `push`, on a thread, while the event loop goes on. Await it before the next one.

        Where the task is cancelled, the push ends soon and then `asyncio.CancelledError` is raised.
        Its samples are taken, as after `CancelledError` of `push`. Conditions of the call, those of
        `CallOptions`:

        """
        work, _ = self._taking(samples)
        await self._aside(work, self._conditions(call, "push"))

    @takes(CallOptions, ResultOptions)
    async def afinish(self, **call: Unpack[ResultOptions]) -> Diarization:
        """As `finish`, on a thread, while the event loop goes on.

        Where the task is cancelled, the finish ends soon and then `asyncio.CancelledError` is
        raised. Finish again then, unless the finish was done by then: see `result`. Conditions of
        the call, those of `ResultOptions`:

        """
        return await self._aside(self._finishing(), self._conditions(call, "finish"))

    async def _aside(self, work: Callable[[object], Result], conditions: Conditions) -> Result:
        try:
            with self._calls.call():
                self._behind = True
                result = await aside(LongCall(work, conditions))
                self._behind = False
                return result
        finally:
            self._news.announce()

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
        # A push between two pages puts other provisional segments in the place of those read before
        # it.
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

    @takes(CallOptions, ResultOptions)
    def run(self, chunks: Iterable[ArrayLike], **call: Unpack[ResultOptions]) -> Iterator[Segment]:
        """Pushes each of `chunks`, then finishes, and gives the segments as they come. See
        `result`.

        Conditions, those of `ResultOptions`: of each push and of the finish, and where they are
        about speakers of the finish alone.

        """
        of_push = {name: value for name, value in call.items() if name in CallOptions.__optional_keys__}
        for chunk in chunks:
            self.push(chunk, **cast(CallOptions, of_push))
            yield from self.read()
        self.finish(**call)
        yield from self.read()

    async def __aiter__(self) -> AsyncIterator[Segment]:
        """The segments as they come from pushes of other tasks, until the stream is finished or
        closed."""
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

    @takes(CallOptions, ResultOptions)
    def finish(self, **call: Unpack[ResultOptions]) -> Diarization:
        """Ends the stream: all segments become final, and its audio is clustered anew as a whole.

        The speakers of the result are numbered anew, see `final_speakers`. Afterwards the stream
        takes no audio until it is reset. A finish waits for the pushes before it; `progress` must
        not wait for a thread that pushes into this stream or resets it.

        Ctrl-C ends the call. Conditions of it, those of `ResultOptions`:

        """
        work, conditions = self._finishing(), self._conditions(call, "finish")
        try:
            with self._calls.call():
                return LongCall(work, conditions).run()
        finally:
            self._news.announce()

    def _finishing(self) -> Callable[[object], Diarization]:
        owned = self._borrow()

        def work(call: object) -> Diarization:
            result = Diarization(Owned("vf_stream_finish", "vf_diarization_destroy", owned.pointer, call))
            self._result = result
            return result

        return work

    @property
    def result(self) -> Diarization | None:
        """What `finish` gave; None for a stream that is not finished."""
        owned = self._owned
        if owned is None or self._result is None:
            return self._result
        # The library knows the order of finishes and resets.
        n = byref(c_size_t())
        status = library().vf_stream_final_speakers(owned.pointer, None, 0, n)
        return None if status == _abi.INVALID_ARGUMENT else self._result

    @takes(CallOptions)
    def reset(self, **call: Unpack[CallOptions]) -> None:
        """Forgets all audio: the stream is as new.

        Waits for the pushes and finishes before it. Ctrl-C ends the call, and the stream stays as
        it was. Conditions of it, those of `CallOptions`:

        """
        owned = self._borrow()
        conditions = self._conditions(call, "reset")

        def work(call: object) -> None:
            check(library().vf_stream_reset(owned.pointer, call))
            self._behind = False

        with self._calls.call():
            LongCall(work, conditions).run()

    @property
    def updates(self) -> int:
        """How many times the provisional segments were replaced: forget them when it changes."""
        return self._updates(self._borrow())

    @property
    def latency_s(self) -> float:
        """Seconds of audio after which the segments of a moment are final."""
        owned = self._borrow()
        return float(read_number(library().vf_stream_latency_ms, c_double(), owned.pointer)) / 1000

    @property
    def speaker_count(self) -> int:
        """Speakers so far."""
        owned = self._borrow()
        return int(read_number(library().vf_stream_speaker_count, c_size_t(), owned.pointer))

    def speaker_embedding(self, speaker: int) -> NDArray[np.float32]:
        """The embedding of a speaker by now: [embedding_dim], of unit length."""
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
        """For each speaker of the finished stream the index in the result; None for one who is not
        in it."""
        owned, vf = self._borrow(), library()
        n, status = c_size_t(), _abi.BUFFER_TOO_SMALL
        while status == _abi.BUFFER_TOO_SMALL:
            numbers = np.empty(n.value, np.int32)
            status = vf.vf_stream_final_speakers(owned.pointer, address(numbers), numbers.size, byref(n))
        check(status)
        # Fewer where another thread has reset the stream and finished it again.
        return [None if number < 0 else number for number in numbers[: n.value].tolist()]

    def _conditions(self, call: Mapping[str, Any], what: str) -> Conditions:
        """The conditions of the call `what`, which a progress callback of another one may not
        make."""
        self._calls.check(what)
        conditions = Conditions(call)
        if conditions.progress is not None:
            conditions.progress = self._calls.reported(conditions.progress)
        return conditions

    @staticmethod
    def _updates(owned: Owned) -> int:
        n = c_uint64()
        check(library().vf_stream_updates(owned.pointer, byref(n)))
        return n.value
