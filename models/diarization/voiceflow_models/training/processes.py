"""The processes of one training: which of them this is, on what device, and what they agree on.

``torchrun`` starts them and says in the environment who is who; without it there is one. Each takes
one GPU; without GPUs they share the processor, which serves tests.
"""

from __future__ import annotations

import os

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


class Processes:
    """This process among those of its training. To be made once, and left at the end."""

    def __init__(self):
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = torch.device("cpu")
        if torch.cuda.is_available():
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(self.device)
        if self.world > 1:
            distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def joined(self, module: nn.Module) -> nn.Module:
        """The module with gradients that are the mean over all processes.

        Buffers stay apart: batch norms train on the statistics of their own batch, and only the
        running ones of the first process are saved.
        """
        return DistributedDataParallel(module, broadcast_buffers=False) if self.world > 1 else module

    def agree(self, value: float) -> float:
        """The first process's value, in all of them."""
        if self.world == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, 0)
        return shared.item()

    def leave(self) -> None:
        """Waits for the others, so that none ends while another still writes."""
        if self.world > 1:
            distributed.barrier()
            distributed.destroy_process_group()
