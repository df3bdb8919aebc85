"""Trains the shipped network:
``train_fast_cnn.py --data WINDOWS --out RUN [--epochs N] [--resume]``."""

import argparse

from voiceflow_models.networks.fast_cnn import FastCnn
from voiceflow_models.training.loop import Trainer, add_arguments


def main() -> None:
    """Trains to the end of the schedule."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    Trainer(FastCnn, "fast-cnn", parser.parse_args()).run()


if __name__ == "__main__":
    main()
