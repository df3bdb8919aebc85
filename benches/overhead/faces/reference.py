"""reference.h from Python."""

import ctypes

import numpy as np


class Reference:
    """The network run directly, and the measures of a face beside it."""

    def __init__(self, library: str, runtime: str, model: str, rounds: int):
        self._lib = ctypes.CDLL(library)
        self._lib.reference_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
        self._lib.reference_audio.restype = ctypes.POINTER(ctypes.c_float)
        self._lib.reference_samples.restype = ctypes.c_size_t
        self._lib.reference_record.argtypes = [ctypes.c_uint64]
        self._lib.reference_open(runtime.encode(), model.encode(), rounds)
        shape = (1, self._lib.reference_samples())
        self.audio: np.ndarray = np.ctypeslib.as_array(self._lib.reference_audio(), shape)
        self.next = self._lib.reference_next
        self.record = self._lib.reference_record
        self.report = self._lib.reference_report
