"""How much arithmetic the network does a second, beside matrix products on the same core in the
same run."""

import statistics
import time
from pathlib import Path

from setting import Setting

SAMPLES = 48_000
SIZE = 512  # of the matrices: they and their product fit the second-level cache's neighbours


def multiply_adds(model: Path) -> int:
    """Multiplications with an addition in a run on one window: of matrix products and
    convolutions."""
    import numpy as np
    import onnx

    graph = onnx.load(model)
    graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    graph.graph.input[0].type.tensor_type.shape.dim[1].dim_value = SAMPLES
    shapes = run_for_shapes(graph)
    shapes |= {tensor.name: tuple(tensor.dims) for tensor in graph.graph.initializer}
    total = 0
    for node in graph.graph.node:
        output = shapes[node.output[0]]
        if node.op_type in ("Conv", "ConvInteger", "QLinearConv"):
            weight = shapes[node.input[3 if node.op_type == "QLinearConv" else 1]]
            total += int(np.prod(output)) * int(np.prod(weight[1:]))
        elif node.op_type in ("MatMul", "MatMulInteger", "Gemm"):
            first = shapes[node.input[0]]
            total += int(np.prod(output)) * int(first[-1])
    return total


def run_for_shapes(model) -> dict:
    """The shape of every tensor, as a run on silence shows it."""
    import numpy as np
    import onnx
    import onnxruntime

    names = [name for node in model.graph.node for name in node.output if name]
    wanted = onnx.ModelProto()
    wanted.CopyFrom(model)
    del wanted.graph.output[:]
    wanted.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        wanted.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    found = session.run(None, {"audio": np.zeros((1, SAMPLES), np.float32)})
    return {name: value.shape for name, value in zip(names, found, strict=True)}


def measure(setting: Setting) -> dict:
    """The arithmetic of a window and its time, and the rate of matrix products, by turns."""
    import numpy as np
    import onnxruntime
    from threadpoolctl import threadpool_limits

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(setting.model), options, providers=["CPUExecutionProvider"])
    audio = {"audio": (np.random.default_rng(0).standard_normal((1, SAMPLES)) * 0.05).astype(np.float32)}
    left, right = (np.random.default_rng(seed).random((SIZE, SIZE), np.float32) for seed in (1, 2))
    network, product = [], []
    turns = ((network, lambda: session.run(None, audio)), (product, lambda: left @ right))
    with threadpool_limits(1, "blas"):
        for number in range(400 if setting.full else 120):
            for times, work in turns:
                start = time.perf_counter()
                work()
                if number >= 20:
                    times.append(time.perf_counter() - start)
    return {
        "multiply_adds": multiply_adds(setting.model),
        "window_s": statistics.median(network),
        "peak_multiply_adds_per_s": SIZE**3 / statistics.median(product),
    }


def markdown(found: dict) -> str:
    """One sentence."""
    rate = found["multiply_adds"] / found["window_s"]
    peak = found["peak_multiply_adds_per_s"]
    return (
        f"A window of 3 s takes {found['multiply_adds'] / 1e6:.0f} million multiply-adds, which are done at "
        f"{rate / 1e9:.0f} thousand million a second; float32 matrix products of {SIZE} by {SIZE} run at "
        f"{peak / 1e9:.0f} on the same core: {100 * rate / peak:.0f} %. Most "
        "products of the network are of eight-bit numbers."
    )
