"""Who speaks, while they speak: arecord -q -f S16_LE -r 16000 -c 1 -t raw | python stream.py
[LATENCY_S]

Takes raw samples of 16 bits, 16 kHz, mono from standard input. Needs `pip install libvoiceflow`.
"""

import sys
from collections.abc import Iterator

import libvoiceflow
import numpy as np
from numpy.typing import NDArray

RATE = 16_000
CHUNK_BYTES = RATE // 10 * 2


def chunks() -> Iterator[NDArray[np.int16]]:
    """A tenth of a second of samples each."""
    while data := sys.stdin.buffer.read(CHUNK_BYTES):
        yield np.frombuffer(data[: len(data) // 2 * 2], np.int16)


def main() -> int:
    """Prints provisional turns with "?", and final ones once."""
    try:
        latency_s = float(sys.argv[1]) if sys.argv[1:] else 1.0
        with libvoiceflow.Diarizer().stream(RATE, latency_s=latency_s) as stream:
            for segment in stream.run(chunks()):
                mark = " " if segment.final else "?"
                print(f"{mark} {segment.start:8.2f} {segment.end:8.2f}  {segment.speaker}", flush=True)
            assert stream.result is not None
            print(f"{stream.result.duration:.1f} s, {len(stream.result.speakers)} speakers")
    except (libvoiceflow.Error, ValueError) as error:
        print(f"stream.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
