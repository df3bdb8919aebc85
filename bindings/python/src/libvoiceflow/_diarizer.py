"""A loaded model with its options, for any number of recordings and streams."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ._arguments import PathLike, frames, hertz, is_path, path
from ._aside import aside
from ._call import LongCall
from ._cancel import Cancel
from ._conditions import (
    CallOptions,
    Conditions,
    ProcessOptions,
    Progress,
    RecordingOptions,
    ResultOptions,
)
from ._diarization import Diarization
from ._errors import InvalidArgumentError, about
from ._handle import Owned, address
from ._model import Model, ModelInfo
from ._options import DiarizerOptions, ModelOptions, StreamOptions, takes
from ._source import Bytes, FileObject, Readable, is_bytes, is_readable, octets
from ._stream import Stream
from ._watch import Watch

if TYPE_CHECKING:
    from typing_extensions import Unpack

Source = PathLike | Bytes | Readable | ArrayLike


class Diarizer(Model):
    """A loaded model with its options, for any number of recordings and streams, from any number of
    threads.

    diarizer = Diarizer()
    for segment in diarizer.process("meeting.flac"):
        print(f"{segment.start:7.2f} {segment.end:7.2f} {segment.speaker}")
    """

    _kind = "diarizer"
    _option_names = DiarizerOptions.__optional_keys__

    @takes(ModelOptions, DiarizerOptions)
    def __init__(
        self,
        *,
        cancel: Cancel | None = None,
        deadline_ms: int | None = None,
        progress: Progress | None = None,
        **options: Unpack[DiarizerOptions],
    ) -> None:
        """Loads the model.

        cancel, deadline_ms, progress: conditions of the load, see `CallOptions`. Ctrl-C ends it
            too.

        Options, those of `DiarizerOptions`:

        """
        self._open(options, Conditions({"cancel": cancel, "deadline_ms": deadline_ms, "progress": progress}))

    @takes(ModelOptions, DiarizerOptions)
    def reload(
        self,
        *,
        cancel: Cancel | None = None,
        deadline_ms: int | None = None,
        progress: Progress | None = None,
        **options: Unpack[DiarizerOptions],
    ) -> None:
        """Puts another model, or other options, in the place of those that it has, while it is in
        use.

        The new version is loaded beside the running one, checked, and tried on a smoke recording.
        Then it takes over at once: calls and streams under way end on the version that they began
        with. A failure changes nothing. A gallery of another voice space is refused afterwards.

        cancel, deadline_ms, progress: conditions of the reload, see `CallOptions`. Ctrl-C ends it
            too.

        Options, all of those of the new version:

        """
        self._exchange(
            options, Conditions({"cancel": cancel, "deadline_ms": deadline_ms, "progress": progress})
        )

    def watch(
        self,
        registry: PathLike,
        model: str,
        *,
        interval_s: float = 30.0,
        command: PathLike = "voiceflow-models",
        on_reload: Callable[[ModelInfo], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        **options: Unpack[DiarizerOptions],
    ) -> Watch:
        """Follows a channel of a registry: asks it again and again on a thread, and reloads when it
        has another version. The first time is now.

        registry: a folder, or a URL of s3:// or gs://.
        model: the model and its channel, such as "fast-cnn@stable".
        interval_s: seconds from one question to the next, more or less a fifth, so that many
            processes do not ask at once.
        command: `voiceflow-models`, which fetches the version and checks its signature. Trusted
            keys, the cache and credentials are those of its variables and its file of settings.
        on_reload: called on the thread with what the new version is.
        on_error: called on the thread with what went wrong, a `RegistryError` where the registry
            does not answer or cannot be trusted; what runs goes on. Default: a warning of the
            logger "libvoiceflow".
        options: those of each new version, without models.

        `Watch.close` ends it, and so does the end of the diarizer.
        """
        return Watch(
            self,
            registry,
            model,
            interval_s=interval_s,
            command=command,
            on_reload=on_reload,
            on_error=on_error,
            options=options,
        )

    @takes(CallOptions, RecordingOptions, ResultOptions, ProcessOptions)
    def process(
        self, source: Source, sample_rate: float | None = None, **call: Unpack[ProcessOptions]
    ) -> Diarization:
        """Finds who spoke when.

        source: the path of a file (WAV, FLAC, MP3, AAC, Opus, Vorbis and the others of
            docs/AUDIO.md, of any sample rate); its content as `bytes`, or a file object, from its
            position on, that is read on the thread of the call, and to its end first if it cannot
            seek; or samples [n_frames] or [n_frames, channels], at most 32 channels, whose mean is
            used by default. float32, -1 to 1, and int16 without gaps are read where they lie; int32
            is scaled, float64 rounded, other types are refused. An array must not be changed
            meanwhile.
        sample_rate: of an array, in hertz, a whole number from 1,000 to 768,000.

        Ctrl-C ends the call. Conditions of it, those of `ProcessOptions`:

        """
        work = LongCall(self._work(source, sample_rate), Conditions(call))
        with about(source) if is_path(source) else nullcontext():  # type: ignore[arg-type]
            return Diarization(work.run())

    @takes(CallOptions, RecordingOptions, ResultOptions, ProcessOptions)
    async def aprocess(
        self, source: Source, sample_rate: float | None = None, **call: Unpack[ProcessOptions]
    ) -> Diarization:
        """As `process`, on a thread, while the event loop goes on. Any number of tasks may await it
        at once.

        Where the task is cancelled, the call ends soon and then `asyncio.CancelledError` is raised.
        `progress` is called on the thread. Conditions of the call, those of `ProcessOptions`:

        """
        work = LongCall(self._work(source, sample_rate), Conditions(call))
        with about(source) if is_path(source) else nullcontext():  # type: ignore[arg-type]
            return Diarization(await aside(work))

    def _work(self, source: Source, sample_rate: float | None) -> Callable[[Any], Owned]:
        """What makes the call, and keeps what its pointers lead to."""
        owned = self._borrow()
        if is_path(source) or is_bytes(source) or is_readable(source):
            if sample_rate is not None:
                raise InvalidArgumentError("sample_rate: expected none with a file, which has its own")
            return self._encoded(owned, source)  # type: ignore[arg-type]
        samples, n_frames, channels = frames(source, "source")  # type: ignore[arg-type]
        if sample_rate is None:
            raise InvalidArgumentError("sample_rate: expected one with an array, in hertz")
        rate = hertz(sample_rate)
        kind = "i16" if samples.dtype == np.int16 else "f32"
        arguments = (owned.pointer, address(samples), n_frames, rate, channels)
        return self._bound(f"vf_diarizer_process_{kind}", arguments, (owned, samples))

    def _encoded(self, owned: Owned, source: PathLike | Bytes | Readable) -> Callable[[Any], Owned]:
        if is_readable(source):
            file_object = FileObject(source)

            def work(call: object) -> Owned:
                with file_object.raising() as given:
                    arguments = (owned.pointer, given, call)
                    return Owned("vf_diarizer_process_source", "vf_diarization_destroy", *arguments)

            return work
        if is_bytes(source):
            content = octets(source, "source")
            arguments = (owned.pointer, address(content), content.size)
            return self._bound("vf_diarizer_process_encoded", arguments, (owned, content))
        file = path(source, "source")
        return self._bound("vf_diarizer_process_file", (owned.pointer, file), owned)

    @staticmethod
    def _bound(function: str, arguments: tuple[object, ...], kept: object) -> Callable[[Any], Owned]:
        def work(call: object, _kept: object = kept) -> Owned:
            return Owned(function, "vf_diarization_destroy", *arguments, call)

        return work

    @takes(StreamOptions)
    def stream(
        self,
        sample_rate: float = 16_000,
        channels: int = 1,
        *,
        cancel: Cancel | None = None,
        deadline_ms: int | None = None,
        progress: Progress | None = None,
        **options: Unpack[StreamOptions],
    ) -> Stream:
        """A stream for one source of live audio, which shares the model of this diarizer.

        sample_rate: in hertz, a whole number from 1,000 to 768,000.
        channels: 1 to 32; their mean is used.
        cancel, deadline_ms, progress: conditions of making it, see `CallOptions`: the first stream
            of a diarizer may load a model. Ctrl-C ends that too.

        Options, those of `StreamOptions`:

        """
        conditions = Conditions({"cancel": cancel, "deadline_ms": deadline_ms, "progress": progress})
        return Stream(self._borrow(), sample_rate, channels, options, conditions)
