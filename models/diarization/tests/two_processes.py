"""One process of a training under torchrun: trains, and keeps what it came to as
``process-RANK.pt``."""

import sys
from argparse import ArgumentParser

import torch
from voiceflow_models.networks.fast_cnn import FastCnn, FastCnnConfig
from voiceflow_models.training.loop import Trainer, add_arguments


class Recorded(Trainer):
    """Keeps the loss of every step."""

    def _step(self, *given):
        losses = super()._step(*given)
        self.totals = [*getattr(self, "totals", []), losses.total.item()]
        return losses


if __name__ == "__main__":
    parser = ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(sys.argv[1:])
    sizes = FastCnnConfig(channels=16, voice_channels=16, context_layers=1, embedding_dim=16)
    trainer = Recorded(lambda: FastCnn(sizes), "fast-cnn", options)
    trainer.run()
    found = {
        "steps": trainer.step,
        "totals": trainer.totals,
        "network": dict(trainer.network.named_parameters()),
        "objective": dict(trainer.objective.named_parameters()),
    }
    torch.save(found, options.out / f"process-{trainer.processes.rank}.pt")
