"""Weights out of a PyTorch checkpoint, without PyTorch and without running what a pickle may hold.

PyTorch has had two layouts. Until version 1.6 a file was pickles of a magic number, a version,
facts of the machine, the object itself and the keys of its storages, then each storage as a count
and its raw numbers. Since then it is a ZIP archive with one pickle of the object and a file for
each storage.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections import OrderedDict
from typing import BinaryIO

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of a file in this layout."""


class _FloatStorage:
    """Stands for the class that a checkpoint names; never made."""

    kind = np.dtype("<f4")


class _LongStorage:
    """The same for whole numbers: how many batches a normalisation has seen."""

    kind = np.dtype("<i8")


class _Storage:
    """Numbers that tensors are views of; filled once the object that names them is read."""

    def __init__(self, of: type, count: int) -> None:
        self.numbers = np.zeros(count, of.kind)

    def fill(self, name: str, data: bytes) -> None:
        """Takes the numbers from a file's bytes."""
        if len(data) != self.numbers.nbytes:
            raise ValueError(f"storage {name}: expected {self.numbers.nbytes} bytes, found {len(data)}")
        self.numbers[:] = np.frombuffer(data, self.numbers.dtype)


def _tensor(storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: object) -> np.ndarray:
    """A view [shape] of a storage; both given in numbers, not bytes."""
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if min((offset, *strides, *shape), default=0) < 0 or last >= len(storage.numbers):
        raise ValueError(f"a tensor of shape {shape} reaches out of its {len(storage.numbers)} numbers")
    bytes_apart = [storage.numbers.itemsize * stride for stride in strides]
    return np.lib.stride_tricks.as_strided(storage.numbers[offset:], shape, bytes_apart)


class _Reader(pickle.Unpickler):
    """Knows tensors of float32 or int64 and plain containers, and refuses every other class or
    function."""

    ALLOWED = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "FloatStorage"): _FloatStorage,
        ("torch", "LongStorage"): _LongStorage,
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
        # The older layout ends with a view, which no weights need.
        kind, of, name, _device, count = key[:5]
        if kind != "storage" or of not in (_FloatStorage, _LongStorage) or any(key[5:]):
            raise pickle.UnpicklingError(f"expected a whole storage of float32 or int64, found {key}")
        return self.storages.setdefault(name, _Storage(of, count))


def read(file: BinaryIO) -> dict:
    """The object of a checkpoint of either layout, its tensors as arrays."""
    if zipfile.is_zipfile(file):
        return _read_archive(file)
    file.seek(0)
    if (magic := _Reader(file).load()) != MAGIC:
        raise ValueError(f"not a checkpoint of PyTorch: it begins with {magic!r}")
    _Reader(file).load()
    _Reader(file).load()
    reader = _Reader(file)
    result = reader.load()
    for name in _Reader(file).load():
        storage = reader.storages[name]
        (count,) = struct.unpack("<q", file.read(8))
        if count != len(storage.numbers):
            raise ValueError(f"storage {name}: expected {len(storage.numbers)} numbers, found {count}")
        storage.fill(name, file.read(storage.numbers.nbytes))
    return result


def _read_archive(file: BinaryIO) -> dict:
    """The same of the layout since PyTorch 1.6."""
    with zipfile.ZipFile(file) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ValueError(f"not a checkpoint of PyTorch: expected one data.pkl, found {len(pickles)}")
        folder = pickles[0].removesuffix("data.pkl")
        with archive.open(pickles[0]) as data:
            reader = _Reader(data)
            result = reader.load()
        for name, storage in reader.storages.items():
            storage.fill(name, archive.read(f"{folder}data/{name}"))
    return result
