"""Weights out of a PyTorch checkpoint, without PyTorch and without running what a pickle may hold.

The layout is the one ``torch.save`` wrote before version 1.6: pickles of a magic number, a version, facts of
the machine, the object itself and the keys of its storages, then each storage as a count and its raw numbers.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from typing import BinaryIO

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of a file in this layout."""


class _Storage:
    """Numbers that tensors are views of; filled once the object that names them is read."""

    def __init__(self, count: int) -> None:
        self.numbers = np.zeros(count, np.float32)


class _FloatStorage:
    """Stands for the class that a checkpoint names; never made."""


def _tensor(storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: object) -> np.ndarray:
    """A view [shape] of a storage; both given in numbers, not bytes."""
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if min((offset, *strides, *shape), default=0) < 0 or last >= len(storage.numbers):
        raise ValueError(f"a tensor of shape {shape} reaches out of its {len(storage.numbers)} numbers")
    bytes_apart = [4 * stride for stride in strides]
    return np.lib.stride_tricks.as_strided(storage.numbers[offset:], shape, bytes_apart)


class _Reader(pickle.Unpickler):
    """Knows tensors of float32 and plain containers, and refuses every other class or function."""

    ALLOWED = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "FloatStorage"): _FloatStorage,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    }

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"the checkpoint names {module}.{name}, which no weights need")
        return self.ALLOWED[module, name]

    def persistent_load(self, key: tuple) -> _Storage:
        kind, of, name, _device, count, view = key
        if (kind, of, view) != ("storage", _FloatStorage, None):
            raise pickle.UnpicklingError(f"expected a whole storage of float32, found {key}")
        return self.storages.setdefault(name, _Storage(count))


def read(file: BinaryIO) -> dict:
    """The object of a checkpoint, its tensors as arrays of float32."""
    if (magic := _Reader(file).load()) != MAGIC:
        raise ValueError(f"not a checkpoint in the layout before PyTorch 1.6: it begins with {magic!r}")
    _Reader(file).load()
    _Reader(file).load()
    reader = _Reader(file)
    result = reader.load()
    for name in _Reader(file).load():
        storage = reader.storages[name]
        (count,) = struct.unpack("<q", file.read(8))
        if count != len(storage.numbers):
            raise ValueError(f"storage {name}: expected {len(storage.numbers)} numbers, found {count}")
        storage.numbers[:] = np.frombuffer(file.read(4 * count), "<f4")
    return result
