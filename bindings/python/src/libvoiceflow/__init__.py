"""Who spoke when: speaker diarization by libvoiceflow.

    import libvoiceflow

    diarizer = libvoiceflow.Diarizer()
    for segment in diarizer.process("meeting.flac"):
        print(f"{segment.start:7.2f} {segment.end:7.2f} {segment.speaker}")

A `Diarizer` is made once and used for any number of recordings and streams, from any number of
threads. Every class has `close` and works in `with`; without either, memory goes with the last
reference.

`voiceflow diarize meeting.flac`, or `python -m libvoiceflow diarize meeting.flac`, prints who
speaks when.
"""

from __future__ import annotations

from ._cancel import Cancel
from ._conditions import CallOptions, ProcessOptions, Progress, RecordingOptions, ResultOptions
from ._diarization import AudioWarning, Diarization, Speaker
from ._diarizer import Diarizer
from ._enums import (
    Clustering,
    EmbeddingFamily,
    Frontend,
    Provider,
    ProviderPolicy,
    Stage,
    WarningCode,
)
from ._errors import (
    AnnotationError,
    AudioError,
    BufferTooSmallError,
    CancelledError,
    ClosedError,
    DeadlineError,
    Error,
    ExitingError,
    ForkedError,
    GalleryError,
    InputOutputError,
    InvalidArgumentError,
    LibraryNotFoundError,
    LimitError,
    ModelError,
    NotFoundError,
    NullError,
    OnnxRuntimeError,
    PanicError,
    PoisonedError,
    ProviderError,
    RuntimeNotFoundError,
    RuntimeVersionError,
)
from ._gallery import Gallery, Identity
from ._library import library
from ._log import TRACE, log_to
from ._model import ModelInfo, ModelVersion
from ._options import DiarizerOptions, SessionOptions, StreamOptions
from ._segment import Segment
from ._session import Inference, Session
from ._stream import Stream
from ._watch import RegistryError, Watch

__all__ = [
    "TRACE",
    "AnnotationError",
    "AudioError",
    "AudioWarning",
    "BufferTooSmallError",
    "CallOptions",
    "Cancel",
    "CancelledError",
    "ClosedError",
    "Clustering",
    "DeadlineError",
    "Diarization",
    "Diarizer",
    "DiarizerOptions",
    "EmbeddingFamily",
    "Error",
    "ExitingError",
    "ForkedError",
    "Frontend",
    "Gallery",
    "GalleryError",
    "Identity",
    "Inference",
    "InputOutputError",
    "InvalidArgumentError",
    "LibraryNotFoundError",
    "LimitError",
    "ModelError",
    "ModelInfo",
    "ModelVersion",
    "NotFoundError",
    "NullError",
    "OnnxRuntimeError",
    "PanicError",
    "PoisonedError",
    "ProcessOptions",
    "Progress",
    "Provider",
    "ProviderError",
    "ProviderPolicy",
    "RecordingOptions",
    "RegistryError",
    "ResultOptions",
    "RuntimeNotFoundError",
    "RuntimeVersionError",
    "Segment",
    "Session",
    "SessionOptions",
    "Speaker",
    "Stage",
    "Stream",
    "StreamOptions",
    "WarningCode",
    "Watch",
    "log_to",
    "version",
]


def version() -> str:
    """The version of libvoiceflow, such as "0.1.0", which is that of this package too."""
    number: bytes = library().vf_version()
    return number.decode()


__version__: str


def __getattr__(name: str) -> str:
    # Of the library, which is loaded when it is first needed.
    if name == "__version__":
        return version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
