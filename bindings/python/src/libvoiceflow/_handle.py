"""Who owns a handle of the C interface, and when it is destroyed.

A handle lives as long as something refers to its `Owned`: the object that shows it, and each call
that uses it. So closing an object while another thread uses it does no harm: the last call destroys
the handle.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from ctypes import byref, c_size_t, c_void_p, create_string_buffer
from typing import Any, TypeVar

from numpy.typing import NDArray

from . import _abi
from ._errors import ClosedError
from ._library import check, library

# Set on a thread on which the library is calling back: it destroys nothing then.
inside = threading.local()
_postponed: deque[tuple[Callable[[int], None], int]] = deque()


class Owned:
    """One handle."""

    __slots__ = ("__weakref__", "pointer")

    def __init__(self, create: str, destroy: str, *arguments: object) -> None:
        """Calls the function `create` with `arguments` and a place for the handle."""
        destroy_postponed()
        vf = library()
        out = c_void_p()
        check(getattr(vf, create)(*arguments, byref(out)))
        assert out.value is not None, create
        self.pointer: int = out.value
        finalizer = weakref.finalize(self, _destroy, os.getpid(), getattr(vf, destroy), out.value)
        # When the interpreter ends, a daemon thread may use the handle; the memory goes with the
        # process.
        finalizer.atexit = False


def _destroy(pid: int, destroy: Callable[[int], None], pointer: int) -> None:
    # In a forked child a lock of the library may be held by a thread that is not there.
    if pid != os.getpid():
        return
    if getattr(inside, "callback", False):
        _postponed.append((destroy, pointer))
    else:
        destroy(pointer)


def destroy_postponed() -> None:
    """Destroys what could not be destroyed inside a callback."""
    while _postponed and not getattr(inside, "callback", False):
        try:
            destroy, pointer = _postponed.popleft()
        except IndexError:
            return
        destroy(pointer)


os.register_at_fork(after_in_child=_postponed.clear)

Self = TypeVar("Self", bound="Handle")


class Handle:
    """What all objects with a handle have in common: `close`, `with`, and no copies."""

    _owned: Owned | None = None

    def close(self) -> None:
        """Lets go of the memory. Calls of other threads that are under way end first. Can be
        repeated."""
        self._owned = None

    @property
    def closed(self) -> bool:
        """Whether the object was closed."""
        return self._owned is None

    def _borrow(self) -> Owned:
        """The handle, for as long as the caller keeps what this returns."""
        owned = self._owned
        if owned is None:
            raise ClosedError(f"this {type(self).__name__} was closed")
        return owned

    def __enter__(self: Self) -> Self:
        self._borrow()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        name = type(self).__name__
        raise TypeError(f"a {name} belongs to this process and cannot be copied or pickled")


def address(array: NDArray[Any]) -> int:
    """Where the values of an array without gaps lie; keep the array for as long as this is used."""
    # Not `array.ctypes`, which is slower and imports, so that it fails while the interpreter ends.
    place: int = array.__array_interface__["data"][0]
    return place


def read_text(function: Callable[..., int], *arguments: object, room: int = 512) -> str:
    """The text that a function of the library answers."""
    n = c_size_t(room)
    status = _abi.BUFFER_TOO_SMALL
    while status == _abi.BUFFER_TOO_SMALL:
        text = create_string_buffer(n.value)
        status = function(*arguments, text, len(text), byref(n))
    check(status)
    return text.value.decode()


def read_number(function: Callable[..., int], number: Any, *arguments: object) -> Any:
    """The value that a function of the library stores in `number`, a ctypes number."""
    check(function(*arguments, byref(number)))
    return number.value
