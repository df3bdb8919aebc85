"""Names, types and shapes of a file's inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence

from onnxruntime import NodeArg

from .check import Check, expect
from .metadata import Facts

FLOAT32 = "tensor(float)"
DYNAMIC = None
"""A size that differs from run to run."""


def check_tensors(inputs: Sequence[NodeArg], outputs: Sequence[NodeArg], facts: Facts) -> list[Check]:
    """The one input and the two outputs of the contract, and that there are no others."""
    activity = (DYNAMIC, DYNAMIC, facts.speakers)
    return [
        *_check_side("input", inputs, {"audio": ("[batch, samples]", (DYNAMIC, DYNAMIC))}),
        *_check_side(
            "output",
            outputs,
            {
                "activity": ("[batch, frames, speakers]", activity),
                "embedding": ("[batch, speakers, dim]", (DYNAMIC, facts.speakers, facts.dim)),
            },
        ),
    ]


def _check_side(
    kind: str, found: Sequence[NodeArg], expected: dict[str, tuple[str, tuple[int | None, ...]]]
) -> list[Check]:
    checks = []
    tensors = {tensor.name: tensor for tensor in found}
    for name, (words, sizes) in expected.items():
        subject = f"{kind} `{name}`"
        if name not in tensors:
            checks.append(expect(subject, False, f"float32 {words}", f"only {sorted(tensors)}"))
            continue
        tensor = tensors[name]
        checks.append(expect(f"{subject}, type", tensor.type == FLOAT32, FLOAT32, tensor.type))
        kept = len(tensor.shape) == len(sizes)
        checks.append(expect(f"{subject}, dimensions", kept, f"{len(sizes)}: {words}", tensor.shape))
        if kept:
            checks += [
                _check_axis(f"{subject}, axis {axis} of {words}", size, tensor.shape[axis])
                for axis, size in enumerate(sizes)
            ]
    others = sorted(tensors.keys() - expected.keys())
    checks.append(expect(f"no other {kind}", not others, "none", others))
    return checks


def _check_axis(subject: str, expected: int | None, found: int | str | None) -> Check:
    """A fixed size may be left open in the file; the runs show it."""
    is_open = not isinstance(found, int)
    if expected is DYNAMIC:
        return expect(subject, is_open, "a dynamic size", found)
    return expect(subject, is_open or found == expected, expected, found)
