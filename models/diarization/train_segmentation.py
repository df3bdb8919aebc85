"""Trains segmentation-3.0 on, with SincNet as it is: see README.md for the order of things.

``python train_segmentation.py --windows DIR --published FILE --out DIR`` begins, the same with
``--resume`` goes on; ``segmentation.onnx`` of the folder is what came of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from voiceflow_models.training.segmentation import Training


def read_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--windows", type=Path, required=True, help="folder of voiceflow_models.data.stretches"
    )
    parser.add_argument("--published", type=Path, required=True, help="segmentation-3.0 as ONNX")
    parser.add_argument(
        "--out", type=Path, required=True, help="checkpoint.pt, curve.csv and the network go here"
    )
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--minutes", type=float, help="stop after this time, with a checkpoint")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument(
        "--labels",
        type=float,
        default=0.5,
        help="share of the labels in what is learned; the rest is published",
    )
    parser.add_argument("--rate", type=float, default=5e-4, help="peak learning rate")
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the trained weights in the mean with the published"
    )
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report", type=int, default=20, help="steps from one row of curve.csv to the next")
    parser.add_argument("--save", type=int, default=100, help="steps from one checkpoint to the next")
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.pt of --out")
    return parser.parse_args(arguments)


def main() -> None:
    """Trains until the steps or the minutes are over."""
    options = read_arguments()
    torch.set_num_threads(options.threads)
    Training(options).run()


if __name__ == "__main__":
    main()
