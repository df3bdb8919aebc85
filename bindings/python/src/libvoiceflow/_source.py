"""Encoded audio that is no file of the system's: bytes, and objects that can be read."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeGuard, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from . import _abi
from ._errors import InvalidArgumentError, raise_kept
from ._handle import inside

Bytes = bytes | bytearray | memoryview


@runtime_checkable
class Readable(Protocol):
    """A file object opened for reading bytes."""

    def read(self, size: int, /) -> bytes | None:
        """The next bytes, at most `size`; none at the end."""


def is_bytes(source: object) -> TypeGuard[Bytes]:
    """Whether audio is given as the bytes of a file, and not as samples."""
    if isinstance(source, memoryview):
        return source.format in ("B", "b", "c")
    return isinstance(source, (bytes, bytearray))


def is_readable(source: object) -> TypeGuard[Readable]:
    """Whether audio is given as a file object."""
    return isinstance(source, Readable)


def octets(source: Bytes, what: str) -> NDArray[np.uint8]:
    """The bytes where they lie."""
    view = memoryview(source)
    if not view.c_contiguous:
        raise InvalidArgumentError(f"{what}: expected bytes without gaps")
    return np.frombuffer(view, np.uint8) if view.nbytes else np.empty(0, np.uint8)


class FileObject:
    """A file object as C has it, for the time of one call: what is behind its position. It is read
    on the thread of the call, and to its end if it cannot seek."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._begin = 0
        self.error: BaseException | None = None
        self._read_of_c, self._seek_of_c = _abi.READ(self._read), _abi.SEEK(self._seek)
        self.struct = _abi.SourceStruct(size=ctypes.sizeof(_abi.SourceStruct), read=self._read_of_c)
        if getattr(file, "seekable", bool)():
            self._begin = file.tell()
            self.struct.length = max(file.seek(0, 2) - self._begin, 0)
            file.seek(self._begin)
            self.struct.seek = self._seek_of_c

    @contextmanager
    def raising(self) -> Iterator[Any]:
        """Around the call, which gets the pointer: raises what the file object has raised."""
        try:
            yield ctypes.byref(self.struct)
        finally:
            raise_kept(self)

    def _read(self, _user_data: int | None, out: int, cap: int) -> int:
        outer = getattr(inside, "callback", False)
        inside.callback = True
        try:
            given = self._file.read(cap)
            if not isinstance(given, (bytes, bytearray, memoryview)):
                found = type(given).__name__
                raise InvalidArgumentError(f"source: expected bytes from its read, got {found}")
            count = len(given)
            if count <= cap:
                ctypes.memmove(out, bytes(given), count)
            return count
        except BaseException as error:
            self.error = error
            return -1
        finally:
            inside.callback = outer

    def _seek(self, _user_data: int | None, position: int) -> int:
        outer = getattr(inside, "callback", False)
        inside.callback = True
        try:
            self._file.seek(self._begin + position)
        except BaseException as error:
            self.error = error
            return -1
        finally:
            inside.callback = outer
        return 0
