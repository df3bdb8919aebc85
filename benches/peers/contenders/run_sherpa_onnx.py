"""sherpa-onnx's offline diarizer as a contender: SEGMENTATION EMBEDDING THREADS OPTIONS(JSON)
WAV..."""

import json
import sys
import time

import numpy
import sherpa_onnx
from protocol import serve


def main() -> None:
    """Runs the recordings named on the command line."""
    segmentation, embedding, threads, options, *recordings = sys.argv[1:]
    options = json.loads(options)
    clustering = {"num_clusters": -1, "threshold": float(options.pop("threshold", 0.5))}
    if options:
        sys.exit(f"sherpa-onnx: unknown options {sorted(options)}; known: threshold")
    pyannote = sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(model=segmentation)
    config = sherpa_onnx.OfflineSpeakerDiarizationConfig(
        segmentation=sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
            pyannote=pyannote, num_threads=int(threads)
        ),
        embedding=sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=embedding, num_threads=int(threads)),
        clustering=sherpa_onnx.FastClusteringConfig(**clustering),
    )
    if not config.validate():
        sys.exit(f"sherpa-onnx: refuses its configuration {config}")

    def load():
        diarizer = sherpa_onnx.OfflineSpeakerDiarization(config)

        def process(samples: numpy.ndarray) -> dict:
            times = []
            begun = time.perf_counter()

            def progress(_done: int, _of: int) -> int:
                times.append(time.perf_counter() - begun)
                return 0

            result = diarizer.process(samples, callback=progress)

            def segments() -> list:
                return [[s.start, s.end, s.speaker] for s in result.sort_by_start_time()]

            # The callback comes after each embedding: the first is about when segmentation was
            # done.
            return {"segments": segments, "segmentation_s": times[0] if times else None}

        return process

    serve(load, recordings)


if __name__ == "__main__":
    main()
