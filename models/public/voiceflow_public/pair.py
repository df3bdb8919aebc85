"""Makes the GE2E pair, `.models/public/segmentation.onnx` and `embedding.onnx`, out of published
weights: pyannote segmentation-3.0 with the metadata of sherpa-onnx, and the GE2E speaker encoder of
Resemblyzer in the layout of WeSpeaker's models. Both files run in libvoiceflow and, unmodified, in
sherpa-onnx. The pair is small and fast and serves the tests; its voices are weak. `accurate` makes
the bundle for users.

``python -m voiceflow_public.pair``, after ``scripts/fetch_segmentation.sh``; needs no PyTorch.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from pathlib import Path

import soundfile

from . import checkpoint, ge2e, mel, segmentation_file
from .packages import MODELS, ROOT, Wheel, describe, sha256, write

SPEECH = ROOT / "examples" / "data" / "conversation.flac"
"""What the conversion of filterbanks is fitted on."""

WHEEL = Wheel(
    "Resemblyzer==0.1.4",
    "Resemblyzer-0.1.4-py3-none-any.whl",
    "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
)
WEIGHTS = "resemblyzer/pretrained.pt"

EMBEDDING = {
    "framework": "wespeaker",
    "language": "English",
    "sample_rate": "16000",
    "output_dim": "256",
    "normalize_samples": "0",
    # The filterbank the file was made for: as sherpa-onnx computes it, without subtraction of the
    # mean.
    "voiceflow.frontend": "sherpa",
    "voiceflow.tuning": json.dumps({"clustering": "average", "clustering_threshold": 0.3}),
    "license": "Apache-2.0",
    "source": "https://github.com/resemble-ai/Resemblyzer, out of Resemblyzer 0.1.4 on PyPI",
}


def embedding(wheel: Path) -> bytes:
    """The speaker encoder."""
    with zipfile.ZipFile(wheel) as archive, archive.open(WEIGHTS) as file:
        weights = checkpoint.read(file)["model_state"]
    audio, rate = soundfile.read(SPEECH)
    if rate != mel.SAMPLE_RATE:
        sys.exit(f"{SPEECH}: expected {mel.SAMPLE_RATE} Hz, found {rate}")
    return describe(ge2e.build(weights, mel.conversion(audio)), EMBEDDING)


def main() -> None:
    """Writes both files, and metadata.json with where they come from."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segmentation", type=Path, default=MODELS / "segmentation-3.0.onnx")
    parser.add_argument("--out", type=Path, default=MODELS / "public")
    options = parser.parse_args()
    if not options.segmentation.exists():
        sys.exit(f"{options.segmentation}: not there; scripts/fetch_segmentation.sh fetches it")
    files = {
        "segmentation.onnx": (segmentation_file.build(options.segmentation), segmentation_file.METADATA),
        "embedding.onnx": (embedding(WHEEL.fetch()), EMBEDDING),
    }
    facts = {}
    for name, (data, properties) in files.items():
        write(options.out / name, data)
        origin = {key: properties[key] for key in ("license", "source")}
        facts[name] = {"sha256": sha256(data), "bytes": len(data), **origin}
        print(options.out / name)
    write(options.out / "metadata.json", f"{json.dumps(facts, indent=2)}\n".encode())


if __name__ == "__main__":
    main()
