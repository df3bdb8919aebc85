"""The failures of the library: a class for each status, beside Python's own class for the same
thing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOENT
from typing import Any, Protocol


class Error(Exception):
    """Whatever fails in this package. `status` is the number of the C interface, 0 for what has
    none."""

    status = 0


class LibraryNotFoundError(Error, ImportError):
    """libvoiceflow was not found, or is another version of its binary interface."""


class ClosedError(Error, ValueError):
    """The object was closed."""


class ExitingError(Error, RuntimeError):
    """The interpreter, its process or the calling thread is about to end: no call begins any
    more."""

    status = -20


class InvalidArgumentError(Error, ValueError):
    """A value is outside its documented range, or of a kind that cannot be used."""

    status = -1


class NullError(Error, ValueError):
    """A pointer that must not be NULL is NULL."""

    status = -2


class BufferTooSmallError(Error, ValueError):
    """A buffer is too small."""

    status = -3


class NotFoundError(Error, FileNotFoundError):
    """A file does not exist. `errno` is ENOENT; `filename` is the path where one was given to the
    call."""

    status = -4

    def __init__(self, text: str = "", filename: str | None = None) -> None:
        super().__init__(text)
        self.errno, self.filename = ENOENT, filename

    def __str__(self) -> str:
        # OSError would make a text of the number and the path, which the library's has already.
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.filename), self.__dict__


class InputOutputError(Error, OSError):
    """The system refuses to read or write a file."""

    status = -5


class AudioError(Error, ValueError):
    """The input is no audio that can be decoded, holds NaN or infinity, or has too little
    speech."""

    status = -6


class ModelError(Error, ValueError):
    """The model is not valid ONNX, or breaks the model contract."""

    status = -7


class RuntimeNotFoundError(Error, ImportError):
    """No ONNX Runtime was found: `pip install libvoiceflow` brings one."""

    status = -8


class RuntimeVersionError(Error, ImportError):
    """The ONNX Runtime found is older than the library can use."""

    status = -9


class OnnxRuntimeError(Error, RuntimeError):
    """ONNX Runtime failed."""

    status = -10


class ProviderError(Error, RuntimeError):
    """A required execution provider is not available."""

    status = -11


class CancelledError(Error):
    """The call was cancelled by its `Cancel`."""

    status = -12


class DeadlineError(Error, TimeoutError):
    """The deadline passed before the work was done."""

    status = -13


class LimitError(Error, ValueError):
    """The input exceeds a hard limit of the library."""

    status = -14


class PanicError(Error, RuntimeError):
    """A fault inside the library. Close the objects of this call."""

    status = -15


class PoisonedError(Error, RuntimeError):
    """The object was in use during an earlier `PanicError`. Close it."""

    status = -16


class AnnotationError(Error, ValueError):
    """An annotation file (RTTM, UEM) cannot be read."""

    status = -17


class ForkedError(Error, RuntimeError):
    """This process was forked after the model was loaded, and the model cannot be used in it."""

    status = -18


class GalleryError(Error, ValueError):
    """A file is no gallery or is damaged, or a gallery belongs to another model."""

    status = -19


_BY_STATUS: dict[int, type[Error]] = {
    kind.status: kind for kind in Error.__subclasses__() if kind.status != 0
}
_FORKED_HINT = (
    "; make the Session or Diarizer in the worker, such as in the initializer of the pool, "
    'or start workers by multiprocessing.get_context("spawn")'
)


def error_for(status: int, text: str) -> Error:
    """The exception for `status` with this text."""
    kind = _BY_STATUS.get(status, Error)
    error = kind(text + _FORKED_HINT if kind is ForkedError else text)
    error.status = status
    return error


@contextmanager
def about(file: str | os.PathLike[str]) -> Iterator[None]:
    """Around a call that was given the path of this one file."""
    try:
        yield
    except NotFoundError as error:
        # It may come from another call, made in the progress callback.
        if error.filename is None:
            error.filename = os.fspath(file)
        raise


class Keeper(Protocol):
    """Keeps an error that was met where it could not be raised."""

    error: BaseException | None


def raise_kept(keeper: Keeper) -> None:
    """Raises the error that is kept, if there is one; it is not kept any more."""
    error, keeper.error = keeper.error, None
    if error is not None:
        try:
            raise error
        finally:
            # The traceback refers to this frame.
            del error
