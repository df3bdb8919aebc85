"""What `Session.infer` costs beside the bare C call: `python infer_overhead.py [ROUNDS]`, on a window of 3 s.

The two are made in turn, so that both meet the same machine. Prints the median of each and of the difference.
"""

import sys
import time
from ctypes import byref, c_size_t

import numpy as np
import voiceflow
from voiceflow._library import library

SAMPLES = 3 * 16_000


def main() -> None:
    """Measures."""
    rounds = int(sys.argv[1]) if sys.argv[1:] else 500
    session = voiceflow.Session(threads=1)
    info = session.info
    audio = (np.random.default_rng(0).standard_normal((1, SAMPLES)) * 0.1).astype(np.float32)
    activity = np.empty((1, session.frames(SAMPLES), info.max_speakers), np.float32)
    embedding = np.empty((1, info.max_speakers, info.embedding_dim), np.float32)
    infer, owned = library().vf_session_infer, session._borrow()
    sizes = [byref(c_size_t()) for _ in range(3)]
    pointers = (
        owned.pointer,
        audio.ctypes.data,
        1,
        SAMPLES,
        activity.ctypes.data,
        activity.size,
        sizes[0],
        embedding.ctypes.data,
        embedding.size,
        sizes[1],
        sizes[2],
    )
    bare, python = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        assert infer(*pointers) == 0
        middle = time.perf_counter()
        session.infer(audio)
        end = time.perf_counter()
        bare.append(middle - start)
        python.append(end - middle)
    difference = np.subtract(python, bare)
    for name, times in ("C call", bare), ("Session.infer", python), ("difference", difference):
        print(f"{name:14} p50 {np.median(times) * 1e6:9.1f} us")


if __name__ == "__main__":
    main()
