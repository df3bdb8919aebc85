"""From a checkpoint back to the network it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from .fast_cnn import FastCnn, FastCnnConfig
from .sophisticated import Sophisticated, SophisticatedConfig

KINDS = {
    "fast-cnn": (FastCnn, FastCnnConfig),
    "sophisticated": (Sophisticated, SophisticatedConfig),
}
"""Every network that can be trained, by the name of its kind."""


@dataclass
class Trained:
    """A network with what is known of its training."""

    network: nn.Module
    kind: str
    steps: int
    seconds: float


def load(path: Path) -> Trained:
    """Reads the averaged weights of a checkpoint onto the processor, ready to infer."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["kind"] not in KINDS:
        raise ValueError(f"{path}: expected a network of {sorted(KINDS)}, found {state['kind']!r}")
    network, config = KINDS[state["kind"]]
    model = network(config(**state["config"]))
    model.load_state_dict(state["model"])
    return Trained(model.eval(), state["kind"], state["step"], state["seconds"])


def slim(path: Path, out: Path) -> None:
    """What another training starts from (``--start``): weights at half precision, without an
    optimizer."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    kept = {name: state[name] for name in ("kind", "config", "step", "seconds")}
    for part in ("model", "objective"):
        kept[part] = {
            name: value.half() if value.is_floating_point() else value for name, value in state[part].items()
        }
    torch.save(kept, out)
