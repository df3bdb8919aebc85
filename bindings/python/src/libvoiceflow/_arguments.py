"""Checks of values on their way into C, where a wrong one would be cut or wrapped round in
silence."""

from __future__ import annotations

import operator
import os
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._errors import InvalidArgumentError

Number = TypeVar("Number", np.float32, np.int16)
PathLike = str | os.PathLike[str]

UINT32_MAX = 2**32 - 1
SIZE_MAX = 2**63 - 1
FLOAT32 = np.dtype(np.float32)

# What whole numbers of audio are divided by to get -1 to 1.
_FULL_SCALE = {np.dtype(np.int16): 2.0**15, np.dtype(np.int32): 2.0**31}
_KINDS = "float32, int16, float64 or int32"


def whole(value: object, what: str, greatest: int = SIZE_MAX) -> int:
    """A whole number from 0 to `greatest`; the library knows the range more closely."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidArgumentError(f"{what}: expected a whole number, got {value!r}") from None
    if not 0 <= number <= greatest:
        raise InvalidArgumentError(f"{what}: expected 0 to {greatest}, got {number}")
    return number


def hertz(value: object) -> int:
    """A sample rate as an int or a float without a fraction; the library knows the range more
    closely."""
    if isinstance(value, (float, np.floating)) and value.is_integer():
        value = int(value)
    return whole(value, "sample_rate", UINT32_MAX)


def real(value: object, what: str) -> float:
    """A number."""
    try:
        if not isinstance(value, (str, bytes, bytearray)):
            return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidArgumentError(f"{what}: expected a number, got {value!r}")


def switch(value: object, what: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{what}: expected True or False, got {value!r}")
    return value


def text(value: object, what: str) -> bytes:
    """A text as C takes it."""
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{what}: expected a str, got {type(value).__name__}")
    if "\0" in value:
        raise InvalidArgumentError(f"{what}: expected a text without zero bytes, got {value!r}")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{what}: expected a text that is valid Unicode, got {value!r}") from None


def path(value: object, what: str) -> bytes:
    """The path of a file as C takes it: the bytes of the system, which need not be UTF-8."""
    try:
        place = os.fspath(value)  # type: ignore[call-overload]
    except TypeError:
        raise InvalidArgumentError(f"{what}: expected a path, got {type(value).__name__}") from None
    if not isinstance(place, str):
        raise InvalidArgumentError(f"{what}: expected a str, got {type(place).__name__}")
    if "\0" in place:
        raise InvalidArgumentError(f"{what}: expected a text without zero bytes, got {place!r}")
    try:
        return os.fsencode(place) if os.name == "posix" else place.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{what}: expected a path of this system, got {place!r}") from None


def data(value: object, what: str) -> bytes:
    """Bytes of a file."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise InvalidArgumentError(f"{what}: expected bytes, got {type(value).__name__}")
    return bytes(value)


def is_path(source: object) -> bool:
    """Whether audio is given by a file's path."""
    return isinstance(source, (str, os.PathLike))


def array(values: ArrayLike, what: str) -> NDArray[np.generic]:
    """`values` as an array."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InvalidArgumentError(f"{what}: expected an array of {_KINDS}: {error}") from None


def _packed(values: NDArray[np.generic], kind: type[Number]) -> NDArray[Number]:
    """`values` as C reads them: without gaps, and each at a multiple of its size."""
    packed = np.asarray(values, dtype=kind, order="C")
    return packed if packed.flags.aligned else packed.copy()


def floats(values: NDArray[np.generic], what: str) -> NDArray[np.float32]:
    """Audio as float32, -1 to 1, without gaps; the same array where it is that already."""
    # Before all else: it takes the least time for what is given the most often.
    if values.dtype == FLOAT32:
        return _packed(values, np.float32)
    kind = values.dtype.newbyteorder("=")
    if kind == np.float32:
        return _packed(values, np.float32)
    if kind == np.float64:
        with np.errstate(over="ignore"):
            return _packed(values, np.float32)
    if kind in _FULL_SCALE:
        scaled = np.array(values, dtype=np.float32, order="C")
        scaled *= np.float32(1.0 / _FULL_SCALE[kind])
        return scaled
    raise InvalidArgumentError(f"{what}: expected an array of {_KINDS}, got {values.dtype}")


def frames(values: ArrayLike, what: str) -> tuple[NDArray[np.generic], int, int]:
    """Samples without gaps as float32 or int16, with the number of frames and of channels."""
    samples = array(values, what)
    if samples.dtype.newbyteorder("=") == np.int16:
        samples = _packed(samples, np.int16)
    else:
        samples = floats(samples, what)
    if samples.ndim == 1:
        return samples, samples.shape[0], 1
    if samples.ndim != 2:
        raise InvalidArgumentError(
            f"{what}: expected the shape [n_frames] or [n_frames, channels], got {list(samples.shape)}"
        )
    if samples.shape[1] > 32 >= samples.shape[0]:
        raise InvalidArgumentError(
            f"{what}: expected the shape [n_frames, channels], got {list(samples.shape)}: the transpose?"
        )
    return samples, samples.shape[0], samples.shape[1]


def embedding(values: ArrayLike, what: str) -> NDArray[np.float32]:
    """An embedding."""
    vector = array(values, what)
    if vector.ndim != 1 or vector.dtype.kind != "f":
        raise InvalidArgumentError(
            f"{what}: expected an array of floats of the shape [dim], got {vector.dtype} {list(vector.shape)}"
        )
    with np.errstate(over="ignore"):
        return _packed(vector, np.float32)
