"""Writes the models of this folder: small files whose constants or shapes grow while ONNX Runtime
loads them.

python make_models.py        needs onnx
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent
node = helper.make_node


def floats(name, value):
    return numpy_helper.from_array(np.array(value, np.float32), name)


def integers(name, value):
    return numpy_helper.from_array(np.array(value, np.int64), name)


def chain(operator, first, times, **attributes):
    """A node that reads the one before it twice, over and over; the last gives `large`."""
    names = [first, *(f"c{index}" for index in range(1, times)), "large"]
    pairs = zip(names[:-1], names[1:], strict=True)
    return [node(operator, [before, before], [after], **attributes) for before, after in pairs]


def reduced(nodes):
    """The nodes, and what makes one number of `large` and adds it to the input."""
    return [
        *nodes,
        node("Cast", ["large"], ["numbers"], to=TensorProto.FLOAT),
        node("ReduceMax", ["numbers"], ["number"], keepdims=0),
        node("Add", ["x", "number"], ["y"]),
    ]


def save(name, nodes, tensors=(), sparse=()):
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        tensors,
    )
    graph.sparse_initializer.extend(sparse)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())


def constants():
    many = integers("shape", [200_000_000])
    save("constant_of_shape", reduced([node("ConstantOfShape", ["shape"], ["large"])]), [many])
    save("expand", reduced([node("Expand", ["one", "shape"], ["large"])]), [many, floats("one", [1])])
    save("tile", reduced([node("Tile", ["one", "shape"], ["large"])]), [many, floats("one", [1])])
    ends = integers("shape", [0, 200_000_000])
    save("pad", reduced([node("Pad", ["one", "shape"], ["large"])]), [ends, floats("one", [1])])
    limits = [floats("from", 0), floats("to", 2e8), floats("by", 1)]
    save("range", reduced([node("Range", ["from", "to", "by"], ["large"])]), limits)
    row, column = floats("row", np.ones((1, 15_000))), floats("column", np.ones((15_000, 1)))
    save("outer", reduced([node("Add", ["row", "column"], ["large"])]), [row, column])
    save("concat", reduced(chain("Concat", "one", 28, axis=0)), [floats("one", [1])])
    # The size is known only once another constant is computed.
    late = [node("Mul", ["a", "b"], ["shape"]), node("ConstantOfShape", ["shape"], ["large"])]
    save("late", reduced(late), [integers("a", [20_000]), integers("b", [10_000])])
    # Many that are small beside each other.
    nodes = [node("Identity", ["x"], ["s0"])]
    for index in range(100):
        nodes += [
            node("ConstantOfShape", ["shape"], [f"c{index}"]),
            node(
                "Add", [f"s{index}" if index else "x", f"c{index}"], [f"s{index + 1}" if index < 99 else "y"]
            ),
        ]
    save("many", nodes, [integers("shape", [4_000_000, 4])])
    texts = [
        *chain("Concat", "text", 20, axis=0),
        node("Shape", ["large"], ["n"]),
        node("Reshape", ["x", "n"], ["y"]),
    ]
    save("texts", texts, [helper.make_tensor("text", TensorProto.STRING, [1], [b"t" * 10_000])])


def shapes():
    concat = chain("Concat", "one", 27, axis=0)
    save("vector", [*concat, node("Reshape", ["x", "large"], ["y"])], [integers("one", [1])])
    from_shape = [node("Shape", ["x"], ["one"]), *concat, node("Reshape", ["x", "large"], ["y"])]
    save("vector_of_shape", from_shape)
    save("rank", reduced(chain("Gather", "zero", 24, axis=0)), [integers("zero", [[0]])])


def sparse():
    value = helper.make_tensor("sparse", TensorProto.FLOAT, [1], [1.0])
    index = helper.make_tensor("index", TensorProto.INT64, [1], [0])
    tensor = helper.make_sparse_tensor(value, index, [500_000_000])
    use = [node("ReduceMax", ["sparse"], ["number"], keepdims=0), node("Add", ["x", "number"], ["y"])]
    save("sparse", use, sparse=[tensor])
    save("sparse_constant", [node("Constant", [], ["sparse"], sparse_value=tensor), *use])


constants()
shapes()
sparse()
