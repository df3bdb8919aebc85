"""The GE2E speaker encoder (Wan et al. 2018, as Resemblyzer trained it) as one ONNX graph that
takes the features of WeSpeaker's models: `feats` [B, T, 80], Kaldi's log filterbank -> `embs`
[B, 256] of unit length.

The graph turns Kaldi's power into librosa's, raises each quiet sequence to the level the encoder
was trained at, cuts it into overlapping partials of 1.6 s, and averages their embeddings.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, helper

from . import mel
from .graph import Graph

PARTIAL = 160
"""Frames of a partial: what the encoder was trained on."""
HOP = 120
"""Frames between partials at most; they are spread evenly over the sequence. On stretches of 2 to 4
s this verifies speakers as well as 80 and better than 160."""
LEVEL = 10 ** (-30 / 10)
"""Mean square that a quieter sequence is raised to: -30 dBFS, as Resemblyzer prepares its audio."""
SILENCE = 1e-12
"""Mean square (-120 dBFS) below which nothing is raised further."""
LAYERS = 3
LSTM_PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""PyTorch's names of a layer's parameters."""


def _power(graph: Graph, conversion: np.ndarray) -> str:
    """[B, T, 40]: librosa's mel power at the trained level."""
    linear = graph.node("Exp", ["feats"], "kaldi_power")
    graph.node("MatMul", [linear, graph.constant("conversion", conversion[:, :-1])], "mel_power")
    graph.node("MatMul", [linear, graph.constant("mean_square", conversion[:, -1:])], "frame_level")
    graph.node("ReduceMean", ["frame_level"], "level", axes=[1], keepdims=1)
    graph.node("Max", ["level", graph.constant("silence", SILENCE)], "level_not_zero")
    graph.node("Div", [graph.constant("trained_level", LEVEL), "level_not_zero"], "gain")
    graph.node("Max", ["gain", graph.constant("unity", 1.0)], "raised")
    return graph.node("Mul", ["mel_power", "raised"], "normalised")


def _partials(graph: Graph, power: str) -> tuple[str, str]:
    """[160, B * P, 40], the partials of all sequences, time first; and P = 1 + ceil((T - 160) /
    hop), [1].

    The first begins with the sequence, the last ends with it; a sequence shorter than a partial
    ends in silence, as in Resemblyzer.
    """
    zero, one = graph.constant("zero", [0], np.int64), graph.constant("one", [1], np.int64)
    length = graph.constant("partial", [PARTIAL], np.int64)
    graph.node("Shape", ["feats"], "frames", start=1, end=2)
    graph.node("Sub", ["frames", length], "room")
    graph.node("Max", ["room", zero], "spread")
    graph.node("Sub", ["spread", "room"], "lacking")
    graph.node("Concat", [graph.constant("no_pads", [0] * 4, np.int64), "lacking", zero], "pads", axis=0)
    graph.node("Pad", [power, "pads"], "padded")

    graph.node("Add", ["spread", graph.constant("hop_less_one", [HOP - 1], np.int64)], "rounded_up")
    graph.node("Div", ["rounded_up", graph.constant("hop", [HOP], np.int64)], "hops")
    count = graph.node("Add", ["hops", one], "count")
    scalars = [graph.node("Squeeze", [name], f"{name}_scalar") for name in (zero, count, one)]
    graph.node("Range", scalars, "numbers")
    graph.node("Mul", ["numbers", "spread"], "numbers_spread")
    graph.node("Max", ["hops", one], "hops_not_zero")
    graph.node("Div", ["numbers_spread", "hops_not_zero"], "starts")
    graph.node("Unsqueeze", ["starts", one], "starts_column")
    graph.node("Add", ["starts_column", graph.constant("steps", np.arange(PARTIAL), np.int64)], "places")
    graph.node("Gather", ["padded", "places"], "cut", axis=1)
    shape = graph.constant("rows_of_partials", [-1, PARTIAL, mel.LIBROSA_BANDS], np.int64)
    graph.node("Reshape", ["cut", shape], "rows")
    return graph.node("Transpose", ["rows"], "partials", perm=[1, 0, 2]), count


def _gates(rows: np.ndarray) -> np.ndarray:
    """PyTorch orders the gates input, forget, cell, output; ONNX input, output, forget, cell."""
    first, forget, cell, output = np.split(rows, 4)
    return np.concatenate([first, output, forget, cell])


def _unit(graph: Graph, vectors: str, output: str) -> str:
    """The vectors at length one; nothing stays nothing."""
    graph.node("ReduceL2", [vectors], f"{output}_length", axes=[-1], keepdims=1)
    graph.node("Max", [f"{output}_length", "silence"], f"{output}_divisor")
    return graph.node("Div", [vectors, f"{output}_divisor"], output)


def _encoder(graph: Graph, sequence: str, weights: dict[str, np.ndarray]) -> str:
    """[B * P, 256]: the embedding of each partial."""
    for layer in range(LAYERS):
        parts = {part: _gates(weights[f"lstm.{part}_l{layer}"]) for part in LSTM_PARTS}
        inputs = [
            graph.constant(f"input_weights_{layer}", parts["weight_ih"][None]),
            graph.constant(f"recurrent_weights_{layer}", parts["weight_hh"][None]),
            graph.constant(f"biases_{layer}", np.concatenate([parts["bias_ih"], parts["bias_hh"]])[None]),
        ]
        states, final = f"states_{layer}", f"final_{layer}"
        hidden = parts["weight_hh"].shape[1]
        node = helper.make_node(
            "LSTM", [sequence, *inputs], [states, final], f"lstm_{layer}", hidden_size=hidden
        )
        graph.nodes.append(node)
        if layer < LAYERS - 1:
            sequence = graph.node("Squeeze", [states, "one"], f"sequence_{layer}")
    graph.node("Squeeze", [final, "zero"], "voice")
    linear = [graph.constant(name, weights[f"linear.{name}"]) for name in ("weight", "bias")]
    graph.node("Gemm", ["voice", *linear], "raw", transB=1)
    graph.node("Relu", ["raw"], "positive")
    return _unit(graph, "positive", "partial_embeddings")


def build(weights: dict[str, np.ndarray], conversion: np.ndarray) -> ModelProto:
    """The graph from the encoder's weights and a matrix of `mel.conversion`."""
    graph = Graph()
    partials, count = _partials(graph, _power(graph, conversion))
    embeddings = _encoder(graph, partials, weights)
    dimension = len(weights["linear.bias"])
    outer = graph.constant("any_batch", [-1], np.int64), graph.constant("dimension", [dimension], np.int64)
    graph.node("Concat", [outer[0], count, outer[1]], "grouped_shape", axis=0)
    graph.node("Reshape", [embeddings, "grouped_shape"], "grouped")
    graph.node("ReduceMean", ["grouped"], "mean", axes=[1], keepdims=0)
    _unit(graph, "mean", "embs")
    return graph.model("ge2e", ("feats", ["B", "T", mel.KALDI_BANDS]), ("embs", ["B", dimension]))
