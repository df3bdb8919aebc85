"""Trains the accurate network:
``train_sophisticated.py --data WINDOWS --out RUN [--encoder DIR]``."""

import argparse
from pathlib import Path

from voiceflow_models.networks.heads import LocalDiarizer
from voiceflow_models.networks.sophisticated import Sophisticated, from_encoder, small
from voiceflow_models.training.loop import Trainer, add_arguments


def build(options: argparse.Namespace) -> LocalDiarizer:
    """The network that the options ask for."""
    if options.encoder:
        return from_encoder(options.encoder)
    return Sophisticated(small() if options.small else None)


def main() -> None:
    """Trains to the end of the schedule."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.set_defaults(rate=5e-4)
    encoders = parser.add_mutually_exclusive_group()
    encoders.add_argument("--encoder", type=Path, help="folder of a WavLM or Wav2Vec2 model for transformers")
    encoders.add_argument("--small", action="store_true", help="a Conformer for training on a processor")
    options = parser.parse_args()
    trainer = Trainer(lambda: build(options), "sophisticated", options)
    if trainer.processes.first:
        parameters = sum(parameter.numel() for parameter in trainer.network.parameters())
        print(
            f"{parameters / 1e6:.2f} million parameters, {4 * parameters / 1e6:.1f} MB in float32", flush=True
        )
    trainer.run()


if __name__ == "__main__":
    main()
