"""What every contender does: load, then one recording after another, and print a line of JSON for
each.

    {"load_s": SECONDS}
    {"seconds": SECONDS, "cpu_s": SECONDS, "segments": [[START_S, END_S, SPEAKER], ...]}    for each recording
    {"peak_mb": MiB}

`seconds` is time that passed, `cpu_s` what all threads of the process computed in it. Both are of
the contender's own work alone: neither the start of the process nor the reading of audio counts.
Further measures may stand beside them.
"""

import json
import sys
import time
import wave
from collections.abc import Callable

import numpy

SAMPLE_RATE = 16000  # Hz, of every recording handed to a contender


def read(path: str) -> numpy.ndarray:
    """Samples of a 16 kHz mono 16-bit WAV file, float32 [n], -1 to 1."""
    with wave.open(path, "rb") as file:
        layout = file.getframerate(), file.getnchannels(), file.getsampwidth()
        if layout != (SAMPLE_RATE, 1, 2):
            sys.exit(f"{path}: expected 16 kHz, 1 channel, 2 bytes, got {layout}")
        data = file.readframes(file.getnframes())
    return numpy.frombuffer(data, "<i2").astype(numpy.float32) / 32768.0


def peak_mb() -> float:
    """Peak resident memory of this process in MiB, from Linux's /proc."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024


def serve(load: Callable[[], Callable[[numpy.ndarray], dict]], recordings: list[str]) -> None:
    """Times `load`, then what it returns on each recording, and prints the lines above.

    `load()` gives a function from samples to {"segments": a function without arguments, further
    measures}; the segments are fetched after the clock has stopped.
    """
    begun = time.perf_counter()
    process = load()
    print(json.dumps({"load_s": time.perf_counter() - begun}), flush=True)
    for path in recordings:
        samples = read(path)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        result = process(samples)
        measures = {"seconds": time.perf_counter() - begun, "cpu_s": time.process_time() - begun_cpu}
        print(json.dumps({**measures, **result, "segments": result["segments"]()}), flush=True)
    print(json.dumps({"peak_mb": peak_mb()}), flush=True)
