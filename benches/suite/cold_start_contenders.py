"""One contender of cold_start.py in a process of its own: CONTENDER FILE... prints milliseconds."""

import sys
import time

import numpy as np
from cold_start import samples_of


def cached(cache: tuple[str, ...]) -> dict[str, str]:
    """The option for the folder."""
    return {"cache_folder": cache[0]} if cache else {}


def session(model: str, *cache: str) -> float:
    """libvoiceflow on a window of 3 s, with the folder of optimised models if there is one."""
    audio = np.zeros((1, 48_000), np.float32)
    start = time.perf_counter()
    from libvoiceflow import Session

    Session(model_path=model, threads=1, **cached(cache)).infer(audio)
    return time.perf_counter() - start


def onnxruntime(model: str) -> float:
    """The Python package onnxruntime on the same window."""
    audio = np.zeros((1, 48_000), np.float32)
    start = time.perf_counter()
    import onnxruntime as package

    options = package.SessionOptions()
    options.intra_op_num_threads = 1
    package.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(None, {"audio": audio})
    return time.perf_counter() - start


def diarizer(recording: str, *cache: str) -> float:
    """libvoiceflow's default model on some seconds of a recording, with the folder if there is
    one."""
    samples = samples_of(recording)
    start = time.perf_counter()
    from libvoiceflow import Diarizer

    Diarizer(threads=1, **cached(cache)).process(samples, sample_rate=16_000)
    return time.perf_counter() - start


def sherpa_onnx(segmentation: str, embedding: str, recording: str) -> float:
    """sherpa-onnx on the same seconds."""
    samples = samples_of(recording)
    start = time.perf_counter()
    import sherpa_onnx as package

    pyannote = package.OfflineSpeakerSegmentationPyannoteModelConfig(model=segmentation)
    config = package.OfflineSpeakerDiarizationConfig(
        segmentation=package.OfflineSpeakerSegmentationModelConfig(pyannote=pyannote, num_threads=1),
        embedding=package.SpeakerEmbeddingExtractorConfig(model=embedding, num_threads=1),
        clustering=package.FastClusteringConfig(num_clusters=-1, threshold=0.5),
    )
    package.OfflineSpeakerDiarization(config).process(samples)
    return time.perf_counter() - start


CONTENDERS = {
    "session": session,
    "onnxruntime": onnxruntime,
    "diarizer": diarizer,
    "sherpa-onnx": sherpa_onnx,
}
print(CONTENDERS[sys.argv[1]](*sys.argv[2:]) * 1e3)
