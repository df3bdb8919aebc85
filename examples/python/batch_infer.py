"""The network alone, over all windows of a file in batches: python batch_infer.py AUDIO

AUDIO has 16 kHz and one channel. Needs `pip install libvoiceflow soundfile`.
"""

import sys
import time

import libvoiceflow
import numpy as np
import soundfile

WINDOW_S = 3
BATCH = 8


def main() -> int:
    """Prints how active each local speaker is in each window."""
    if len(sys.argv) != 2:
        print("usage: batch_infer.py AUDIO", file=sys.stderr)
        return 2
    try:
        session = libvoiceflow.Session()
        info = session.info
        audio, rate = soundfile.read(sys.argv[1], dtype="float32")
        if rate != info.sample_rate or audio.ndim != 1:
            print(f"batch_infer.py: expected {info.sample_rate} Hz and one channel", file=sys.stderr)
            return 1
        samples = WINDOW_S * rate
        windows = audio[: len(audio) // samples * samples].reshape(-1, samples)
        begin = time.perf_counter()
        # One pair of arrays for all that the network says.
        activity = np.empty((len(windows), session.frames(samples), info.max_speakers), np.float32)
        embedding = np.empty((len(windows), info.max_speakers, info.embedding_dim), np.float32)
        for at in range(0, len(windows), BATCH):
            rows = slice(at, at + BATCH)
            session.infer(windows[rows], out=(activity[rows], embedding[rows]))
        took = time.perf_counter() - begin
    except (libvoiceflow.Error, soundfile.SoundFileError) as error:
        print(f"batch_infer.py: {error}", file=sys.stderr)
        return 1
    for index, shares in enumerate((activity > 0.5).mean(axis=1)):
        local = "  ".join(f"{share:4.0%}" for share in shares)
        print(f"window at {index * WINDOW_S:3} s: local speakers active {local}")
    print(f"{len(windows)} windows, activity {activity.shape}, embedding {embedding.shape}")
    print(f"{len(windows) * WINDOW_S / took:.0f} times real time", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
