"""Random weights that behave: activations of a plausible size, outputs that differ between
inputs."""

from __future__ import annotations

import torch
from torch import nn

from .families.eres2net import ERes2Net
from .families.titanet import TitaNet
from .segmentation import PyanNet
from .toolkits import Toolkit

PASSES = 6
BATCH = 4
FRAMES = 200
SAMPLES = 48_000

LSTM_GAIN = 4.0
"""Makes the untrained LSTM follow its input more than its biases."""

CLASS_DEVIATION = 2.5
"""Deviation over time of a class's log-probability; untrained, the classes are nearly even."""


def settle(model: nn.Module, toolkit: Toolkit, generator: torch.Generator) -> None:
    """Prepares a freshly built network for export and leaves it in evaluation mode."""
    with torch.no_grad():
        vary_norms(model, generator)
        if isinstance(model, PyanNet):
            spread_classes(model, toolkit, generator)
        else:
            estimate_norms(model, toolkit, generator)
            centre(model, toolkit, generator)


def vary_norms(model: nn.Module, generator: torch.Generator) -> None:
    """Gives every norm weights and biases of its own; equal ones, as untrained, the exporter would
    merge."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm1d) and module.affine:
            module.weight.uniform_(0.5, 1.5, generator=generator)
            module.bias.normal_(0.0, 0.1, generator=generator)


def estimate_norms(model: nn.Module, toolkit: Toolkit, generator: torch.Generator) -> None:
    """Sets the batch norms' running statistics to the average over a few batches."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = None
    model.train()
    for _ in range(PASSES):
        model(*toolkit.noise(BATCH, FRAMES, generator))
    model.eval()


def centre(model: nn.Module, toolkit: Toolkit, generator: torch.Generator) -> None:
    """Moves the mean embedding to 0; otherwise all embeddings of an untrained network point the
    same way."""
    outputs = model(*toolkit.noise(2 * BATCH, FRAMES, generator))
    embeddings = outputs[toolkit.result] if isinstance(outputs, tuple) else outputs
    mean = embeddings.mean(dim=0)
    if hasattr(model, "mean"):
        model.mean += mean
    elif isinstance(model, TitaNet | ERes2Net):
        model.embedding.bias -= mean
    # The others end in a batch norm, which has done it.


def spread_classes(model: PyanNet, toolkit: Toolkit, generator: torch.Generator) -> None:
    """Makes the most likely class change from frame to frame."""
    model.eval()
    for name, weight in model.lstm.named_parameters():
        if name.startswith("weight_ih"):
            weight *= LSTM_GAIN
    inputs = toolkit.noise(BATCH, SAMPLES, generator)
    model.classifier.weight *= CLASS_DEVIATION / model(*inputs).std(dim=(0, 1)).mean()
    mean = model(*inputs).mean(dim=(0, 1))
    model.classifier.bias -= mean - mean.mean()
