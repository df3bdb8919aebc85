"""Structured pruning of a voice trunk: which channels and layers matter, and the smaller network of
those.

Importance is that of a Gauss-Newton step (the optimal brain surgeon's diagonal, LeCun et al., 1990;
channel-wise, Molchanov et al., "Importance estimation for neural network pruning", CVPR 2019): how
much the unit embedding moves when a channel is held at its mean. A loss of distillation has no
slope where the student still is its teacher, but the embedding's Jacobian is there from the start,
and no labels are needed.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voiceflow_public.families.resnet import BINS

from ..networks.voice_trunk import AFTER_HEAD, HEAD_DIVISOR, VoiceTrunk, Widths

PROBES = 2
"""Random directions of the embedding for each crop."""

Importance = dict[str, Tensor]
"""For every group of channels that stay or go together, a number for each."""


def gated(network: VoiceTrunk) -> dict[str, list[nn.Module]]:
    """The modules whose outputs have the channels of each group."""
    head = network.head
    groups: dict[str, list[nn.Module]] = {
        "head.stem": [head.norm1],
        "head.stage0": [head.blocks[0], head.blocks[1]],
        "head.stage1": [head.blocks[2], head.blocks[3]],
        "head.out": [head.norm2],
        "tdnn": [network.tdnn],
    }
    groups |= {f"head.inner{index}": [block.norm1] for index, block in enumerate(head.blocks)}
    for b, (block, transit) in enumerate(zip(network.blocks, network.transits, strict=True)):
        for index, layer in enumerate(block.layers):
            groups[f"bottleneck.{b}.{index}"] = [layer.norm2]
            groups[f"growth.{b}.{index}"] = [layer]
        groups[f"transit.{b}"] = [transit]
    return groups


def measure(network: VoiceTrunk, batches: Iterable[Tensor], seed: int = 0) -> Importance:
    """The importance of every channel, from features [B, T, 80] of speech; the network is left as
    it was."""
    generator = torch.Generator().manual_seed(seed)
    gates: dict[str, Tensor] = {}
    total: Importance = {}
    crops = 0

    def gate(name: str):
        def around_mean(_module, _inputs, output: Tensor) -> Tensor:
            others = tuple(axis for axis in range(output.dim()) if axis != 1)
            mean = output.detach().mean(dim=others, keepdim=True)
            if name not in gates:
                gates[name] = torch.ones(output.shape[:2], requires_grad=True)
            shape = (*output.shape[:2], *(1,) * (output.dim() - 2))
            return mean + (output - mean) * gates[name].reshape(shape)

        return around_mean

    hooks = [
        module.register_forward_hook(gate(name))
        for name, modules in gated(network).items()
        for module in modules
    ]
    was_training = network.training
    network.eval()
    try:
        for features in batches:
            crops += len(features)
            gates.clear()
            unit = F.normalize(network(features), dim=1)
            for probe in range(PROBES):
                direction = torch.randn(unit.shape, generator=generator)
                names = list(gates)
                slopes = torch.autograd.grad(
                    (unit * direction).sum(),
                    [gates[name] for name in names],
                    retain_graph=probe < PROBES - 1,
                )
                for name, slope in zip(names, slopes, strict=True):
                    total[name] = total.get(name, 0) + slope.square().sum(dim=0)
    finally:
        for hook in hooks:
            hook.remove()
        network.train(was_training)
    if not crops:
        raise ValueError("expected at least one batch of features, got none")
    return {name: value / (crops * PROBES) for name, value in total.items()}


def best(importance: Tensor, count: int) -> Tensor:
    """Indices of the ``count`` largest, ascending."""
    if not 0 < count <= len(importance):
        raise ValueError(f"expected 1 to {len(importance)} channels to be kept, got {count}")
    return importance.topk(count).indices.sort().values


def shrink(network: VoiceTrunk, target: Widths, importance: Importance) -> tuple[VoiceTrunk, list[Tensor]]:
    """The network of the most important channels and layers, and which channels of each transit it
    has.

    ``target`` says how many, and how far masks see. Norms still have the old network's statistics;
    those of frames after masks that see less are to be measured anew.
    """
    small = VoiceTrunk(target)
    if target.halving != network.widths.halving != AFTER_HEAD:
        raise ValueError(f"halving: expected {network.widths.halving}, as before, got {target.halving}")
    with torch.no_grad():
        rows = _shrink_head(network, small, importance)
        stream = best(importance["tdnn"], target.tdnn)
        _copy(network.tdnn[0], small.tdnn[0], stream, rows)
        _copy_norm(network.tdnn[1][0], small.tdnn[1][0], stream)
        kept = []
        for b in range(len(network.blocks)):
            stream = _shrink_block(network, small, b, stream, importance)
            left = best(importance[f"transit.{b}"], target.transits[b])
            _copy_norm(network.transits[b][0][0], small.transits[b][0][0], stream)
            _copy(network.transits[b][1], small.transits[b][1], left, stream)
            stream = left
            kept.append(left)
        _copy_norm(network.norm_frames[0], small.norm_frames[0], stream)
        statistics = torch.cat([stream, stream + network.widths.transits[-1]])
        _copy(network.embedding, small.embedding, torch.arange(target.dim), statistics)
        small.norm.load_state_dict(network.norm.state_dict())
        if target.halving < network.widths.halving:
            _double_steps(small)
    return small, kept


def at_double_step(weight: Tensor) -> Tensor:
    """The kernel [..., taps], an odd number of them, for frames twice as far apart.

    Its output is that of the old kernel on frames interpolated between those that are left.
    """
    taps = weight.shape[-1]
    moved = torch.zeros_like(weight)
    middle = taps // 2
    for tap in range(taps):
        offset = tap - middle
        for place in {offset // 2, -(-offset // 2)}:
            share = 0.5 if offset % 2 else 1.0
            moved[..., middle + place] += share * weight[..., tap]
    return moved


def _double_steps(small: VoiceTrunk) -> None:
    """Fits the convolutions that come after frames are halved now, and came before it."""
    begins = 2 * small.widths.halving
    between = [small.head.blocks[begins].conv2]
    for block in small.head.blocks[begins + 1 :]:
        between += [block.conv1, block.conv2]
    for convolution in [*between, small.head.conv2, small.tdnn[0]]:
        convolution.weight.copy_(at_double_step(convolution.weight))


def _shrink_head(network: VoiceTrunk, small: VoiceTrunk, importance: Importance) -> Tensor:
    """Copies the head; returns the rows that go into the layer after it."""
    count, old, new = small.widths.head, network.head, small.head
    stem, out = best(importance["head.stem"], count), best(importance["head.out"], count)
    stages = [best(importance[f"head.stage{index}"], count) for index in range(2)]
    _copy(old.conv1, new.conv1, stem, torch.arange(1))
    _copy_norm(old.norm1, new.norm1, stem)
    coming = stem
    for index, (source, block) in enumerate(zip(old.blocks, new.blocks, strict=True)):
        inner, going = best(importance[f"head.inner{index}"], count), stages[index // 2]
        _copy(source.conv1, block.conv1, inner, coming)
        _copy_norm(source.norm1, block.norm1, inner)
        _copy(source.conv2, block.conv2, going, inner)
        _copy_norm(source.norm2, block.norm2, going)
        if isinstance(source.shortcut, nn.Sequential):
            _copy(source.shortcut[0], block.shortcut[0], going, coming)
            _copy_norm(source.shortcut[1], block.shortcut[1], going)
        coming = going
    _copy(old.conv2, new.conv2, out, coming)
    _copy_norm(old.norm2, new.norm2, out)
    bins = BINS // HEAD_DIVISOR
    return (out[:, None] * bins + torch.arange(bins)).flatten()


def _shrink_block(
    network: VoiceTrunk, small: VoiceTrunk, b: int, stream: Tensor, importance: Importance
) -> Tensor:
    """Copies the layers of block ``b`` that matter most; returns the channels of what they
    leave."""
    layers, sizes = network.blocks[b].layers, small.widths.layers[b]
    matter = torch.stack([importance[f"growth.{b}.{index}"].sum() for index in range(len(layers))])
    growths = [growth for _, growth in network.widths.layers[b]]
    entering = network.blocks[b].layers[0].norm1[0].num_features
    begins = [entering + sum(growths[:index]) for index in range(len(layers))]
    chosen = best(matter, len(sizes)).tolist()
    for place, (index, (bottleneck, growth)) in enumerate(zip(chosen, sizes, strict=True)):
        old, new = layers[index], small.blocks[b].layers[place]
        inner = best(importance[f"bottleneck.{b}.{index}"], bottleneck)
        added = best(importance[f"growth.{b}.{index}"], growth)
        strength = old.context1.weight.flatten(1).norm(dim=1) * old.context2.weight.flatten(1).norm(dim=0)
        hidden = best(strength, bottleneck // 2)
        _copy_norm(old.norm1[0], new.norm1[0], stream)
        _copy(old.linear, new.linear, inner, stream)
        _copy_norm(old.norm2[0], new.norm2[0], inner)
        _copy(old.local, new.local, added, inner)
        _copy(old.context1, new.context1, hidden, inner)
        _copy(old.context2, new.context2, added, hidden)
        stream = torch.cat([stream, added + begins[index]])
    return stream


def _copy(old: nn.Module, new: nn.Module, outputs: Tensor, inputs: Tensor) -> None:
    new.weight.copy_(old.weight[outputs][:, inputs])
    if old.bias is not None:
        new.bias.copy_(old.bias[outputs])


def _copy_norm(old: nn.Module, new: nn.Module, channels: Tensor) -> None:
    for name, values in new.named_parameters():
        values.copy_(getattr(old, name)[channels])
    new.running_mean.copy_(old.running_mean[channels])
    new.running_var.copy_(old.running_var[channels])


def settle_norms(network: VoiceTrunk, batches: Iterable[Tensor]) -> None:
    """Measures the statistics of all norms anew on features [B, T, 80]; the network is left for
    inference."""
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    with torch.no_grad():
        for features in batches:
            network(features)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
