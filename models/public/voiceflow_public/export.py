"""Writes a network with random weights as an ONNX file of its family's layout, and compares it with
PyTorch.

``python -m voiceflow_public.export --family wespeaker_resnet34 --out resnet34.onnx [--small]
[--seed 0]``
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from .registry import FAMILIES, Family
from .settle import settle
from .toolkits import Inputs, Toolkit

TOLERANCE = 1e-4
"""Largest difference between PyTorch and ONNX Runtime, relative to the largest output."""

LENGTHS = (150, 200, 333)
"""Frames that an export is compared with."""

SEGMENTATION_LENGTHS = (16_000, 48_000, 160_000)
"""Samples that a segmentation's export is compared with."""


def build(family: Family, small: bool, seed: int) -> nn.Module:
    """The family's network in evaluation mode, full or ``small``; equal seeds give equal
    weights."""
    torch.manual_seed(seed)
    model = family.build(**(family.small if small else {}))
    settle(model, family.toolkit, torch.Generator().manual_seed(seed))
    return model


def export(model: nn.Module, toolkit: Toolkit, path: Path) -> None:
    """Writes the graph and its metadata."""
    example = toolkit.noise(1, toolkit.trace_length, torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        # The tracer warns of Python numbers it bakes in and of its own age; the comparison shows
        # what matters.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            example,
            str(path),
            input_names=list(toolkit.inputs),
            output_names=list(toolkit.outputs),
            dynamic_axes=toolkit.axes,
            opset_version=toolkit.opset,
            dynamo=False,
        )
    graph = onnx.load(path)
    metadata = dict(toolkit.metadata)
    if toolkit.embeds:
        metadata["output_dim"] = str(model.dim)
    if metadata:
        onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def result(outputs: Tensor | tuple[Tensor, ...], toolkit: Toolkit) -> Tensor:
    """The output that holds the embedding [B, dim] or the classes [N, frames, 7]."""
    return outputs[toolkit.result] if isinstance(outputs, tuple) else outputs


def run(session: onnxruntime.InferenceSession, inputs: Inputs, toolkit: Toolkit) -> np.ndarray:
    """The same of the file, by ONNX Runtime."""
    feeds = {name: value.numpy() for name, value in zip(toolkit.inputs, inputs, strict=True)}
    return session.run([toolkit.outputs[toolkit.result]], feeds)[0]


def compare(model: nn.Module, toolkit: Toolkit, path: Path) -> float:
    """Largest difference between PyTorch and the file, relative to the largest output."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(1)
    fixed = session.get_inputs()[0].shape[0]
    worst = 0.0
    for length in LENGTHS if toolkit.embeds else SEGMENTATION_LENGTHS:
        for batch in (1, 3):
            if isinstance(fixed, int) and batch != fixed:
                continue
            inputs = toolkit.noise(batch, length, generator)
            with torch.no_grad():
                expected = result(model(*inputs), toolkit).numpy()
            got = run(session, inputs, toolkit)
            if got.shape != expected.shape:
                raise ValueError(f"{path}: expected an output of shape {expected.shape}, got {got.shape}")
            worst = max(worst, float(np.abs(got - expected).max() / np.abs(expected).max()))
    if worst > TOLERANCE:
        raise ValueError(f"{path}: differs from PyTorch by {worst:.1e}, more than {TOLERANCE:.0e}")
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", required=True, choices=FAMILIES)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument(
        "--small", action="store_true", help="the size of the test fixtures, not the published one"
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    family = FAMILIES[args.family]
    model = build(family, args.small, args.seed)
    export(model, family.toolkit, args.out)
    worst = compare(model, family.toolkit, args.out)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    size = args.out.stat().st_size
    print(f"{args.out}: {parameters:,} parameters, {size:,} bytes, PyTorch within {worst:.1e}")


if __name__ == "__main__":
    main()
