"""libvoiceflow by its Python face as a contender: LIBRARY SEGMENTATION EMBEDDING THREADS
OPTIONS(JSON) WAV...

Options are those of `libvoiceflow.Diarizer`, such as {"hop_s": 2.5}. Without segmentation and
embedding files ("-") the model inside the library is used.
"""

import json
import os
import sys
from pathlib import Path

import numpy
from protocol import SAMPLE_RATE, serve

FACE = Path(__file__).resolve().parents[3] / "bindings" / "python" / "src"


def value(text: str) -> object:
    """An option's value: a number where it is one."""
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def main() -> None:
    """Runs the recordings named on the command line."""
    library, segmentation, embedding, threads, options, *recordings = sys.argv[1:]
    os.environ["VOICEFLOW_LIBRARY"] = library
    sys.path.insert(0, str(FACE))
    import libvoiceflow

    files = {"segmentation_model": segmentation, "embedding_model": embedding}
    settings: dict = {name: file for name, file in files.items() if file != "-"}
    settings |= {name: value(text) for name, text in json.loads(options).items()}
    settings |= {"threads": int(threads), "provider": "cpu"}

    def load():
        try:
            diarizer = libvoiceflow.Diarizer(**settings)
        except libvoiceflow.Error as error:
            sys.exit(f"voiceflow: {error}")

        def process(samples: numpy.ndarray) -> dict:
            result = diarizer.process(samples, sample_rate=SAMPLE_RATE)
            return {"segments": lambda: [[s.start, s.end, s.speaker_index] for s in result]}

        return process

    serve(load, recordings)


if __name__ == "__main__":
    main()
