"""Writes a checkpoint as a model folder:
``export_onnx.py --checkpoint FILE --out models/fast-cnn/1.0.1``."""

import argparse
import json
from pathlib import Path

from voiceflow_models.contract.tuning import check_tuning
from voiceflow_models.export.folder import TOLERANCES, write_folder
from voiceflow_models.export.graph import Properties
from voiceflow_models.export.variants import Variants
from voiceflow_models.networks.checkpoint import KINDS, load, slim

TUNING = Path(__file__).with_name("tuning.json")
"""What fast-cnn was tuned to on simulated meetings of held-out speakers and recordings meant for
tuning."""


def main() -> None:
    """Exports, compares with PyTorch, and describes what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--model-type", choices=sorted(KINDS), help="refuse a checkpoint of another network")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", required=True, help="semantic version of the model")
    parser.add_argument("--window", type=float, default=10.0, help="window at inference in seconds")
    parser.add_argument("--hop", type=float, default=5.0, help="window hop in seconds")
    parser.add_argument("--onset", type=float, default=0.5)
    parser.add_argument("--offset", type=float, default=0.5)
    parser.add_argument("--clustering", type=float, default=0.5)
    parser.add_argument(
        "--identity", type=float, default=0.5625, help="similarity from which a voice is an enrolled one's"
    )
    parser.add_argument("--tuning", type=Path, default=TUNING, help="JSON object written as voiceflow.tuning")
    parser.add_argument("--facts", type=Path, help="JSON merged into metadata.json: data, measured figures")
    parser.add_argument("--quantize-fp16", action="store_true", help="write model.fp16.onnx too")
    parser.add_argument("--quantize-int8", action="store_true", help="write model.int8.onnx too")
    parser.add_argument(
        "--calibration", type=Path, help="training windows: PLDA of the voices, ranges for int8"
    )
    parser.add_argument("--ship", choices=sorted(TOLERANCES), default="fp32", help="precision of model.onnx")
    options = parser.parse_args()
    if options.ship != "fp32" and not getattr(options, f"quantize_{options.ship}"):
        parser.error(f"--ship {options.ship}: expected --quantize-{options.ship} with it")
    if options.quantize_int8 and options.calibration is None:
        parser.error(
            "--quantize-int8 needs --calibration WINDOWS, from which it takes the ranges of activations"
        )
    tuning = json.loads(options.tuning.read_text())
    checks = check_tuning(json.dumps(tuning), has_plda=True)
    broken = [str(check) for check in checks if check.breach is not None]
    if broken:
        parser.error(f"--tuning {options.tuning}: {broken[0]}")
    if tuning.get("clustering") == "vbx" and options.calibration is None:
        parser.error(
            f"--tuning {options.tuning}: clustering by vbx needs --calibration WINDOWS, out of which it "
            "takes a PLDA of the voices"
        )
    trained = load(options.checkpoint)
    if options.model_type not in (None, trained.kind):
        raise SystemExit(f"{options.checkpoint}: expected {options.model_type}, found {trained.kind}")
    names = ("onset", "offset", "clustering", "identity")
    properties = Properties(
        name=trained.kind,
        version=options.version,
        window_s=options.window,
        hop_s=options.hop,
        thresholds={name: getattr(options, name) for name in names},
        tuning=tuning,
        embedding_dim=trained.network.embedding_dim,
    )
    facts = json.loads(options.facts.read_text()) if options.facts else {}
    wanted = Variants(options.quantize_fp16, options.quantize_int8, options.calibration)
    write_folder(trained, properties, options.out, facts, wanted, options.ship)
    slim(options.checkpoint, options.out / "weights.pt")


if __name__ == "__main__":
    main()
