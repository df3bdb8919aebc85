"""CAM++ as a graph: against its definition in PyTorch where that is installed, and the network of
the bundle against what PyTorch gave for it."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from voiceflow_public import accurate, campplus_graph, checkpoint
from voiceflow_public.packages import MODELS, Wheel

GOLDEN = json.loads(Path(__file__).with_name("campplus_golden.json").read_text())
"""What PyTorch 2.15 gives for the published weights: `voiceflow_public.accurate`, checked once."""


def golden_features(frames):
    """Repeatable features [1, frames, 80] in [-4, 4)."""
    # The legacy generator: its numbers are the same in every version of NumPy.
    shape = (1, frames, campplus_graph.BINS)
    return np.random.RandomState(1).uniform(-4, 4, shape).astype(np.float32)


def names_of_the_checkpoint(name):
    """A parameter's name in the checkpoints of 3D-Speaker, from that in `families.campplus`."""
    part, *rest = name.split(".")
    if part == "head":
        if rest[0] == "blocks":
            stage, index = divmod(int(rest[1]), 2)
            return ".".join(["head", f"layer{stage + 1}", str(index), *rest[2:]]).replace("norm", "bn")
        return name.replace("norm", "bn")
    if part == "tdnn":
        return f"xvector.tdnn.{'linear' if rest[0] == '0' else 'nonlinear.batchnorm'}.{rest[-1]}"
    if part in ("embedding", "norm"):
        return f"xvector.dense.{'linear' if part == 'embedding' else 'nonlinear.batchnorm'}.{rest[-1]}"
    block, kind = divmod(int(rest[0]), 3)
    if rest[1] == "layers":
        places = {
            "norm1": "nonlinear1.batchnorm",
            "norm2": "nonlinear2.batchnorm",
            "linear": "linear1",
            "local": "cam_layer.linear_local",
            "context1": "cam_layer.linear1",
            "context2": "cam_layer.linear2",
        }
        return f"xvector.block{block + 1}.tdnnd{int(rest[2]) + 1}.{places[rest[3]]}.{rest[-1]}"
    if kind == 2:
        return f"xvector.transit{block + 1}.linear.{rest[-1]}"
    norm = "out_nonlinear" if block == 3 else f"transit{block + 1}.nonlinear"
    return f"xvector.{norm}.batchnorm.{rest[-1]}"


@pytest.mark.parametrize("frames", [20, 150, 200, 201, 333])
def test_the_graph_gives_what_pytorch_gives(frames):
    torch = pytest.importorskip(
        "torch", reason="PyTorch is needed to build the network; install models/public"
    )
    from voiceflow_public.export import build
    from voiceflow_public.registry import FAMILIES

    network = build(FAMILIES["campplus"], small=True, seed=3)
    weights = {names_of_the_checkpoint(name): value.numpy() for name, value in network.state_dict().items()}
    session = onnxruntime.InferenceSession(campplus_graph.build(weights).SerializeToString())
    features = golden_features(frames)
    with torch.no_grad():
        expected = network(torch.from_numpy(features)).numpy()
    (found,) = session.run(None, {"x": features})
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.skipif(not (MODELS / accurate.WHEEL.file).exists(), reason="run `make models-accurate`")
def test_the_published_weights_give_what_pytorch_gave():
    network = onnx.load_from_string(accurate.embedding(MODELS / accurate.WHEEL.file))
    session = onnxruntime.InferenceSession(network.SerializeToString())
    for frames, expected in GOLDEN.items():
        (found,) = session.run(None, {"x": golden_features(int(frames))})
        np.testing.assert_allclose(found[0], expected, atol=1e-5 * np.abs(expected).max())


def test_a_wheel_is_asked_for_by_the_platform_of_its_name():
    assert Wheel("a==1", "a-1-py3-none-any.whl", "").platform() == []
    given = Wheel("a==1", "a-1-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl", "").platform()
    assert given[:6] == ["--python-version", "311", "--implementation", "cp", "--abi", "cp311"]
    assert given[6:] == ["--platform", "manylinux_2_24_x86_64", "--platform", "manylinux_2_28_x86_64"]


def archive(pickled, storages):
    """A checkpoint in the layout since PyTorch 1.6."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("model/data.pkl", pickled)
        for name, data in storages.items():
            out.writestr(f"model/data/{name}", data)
    file.seek(0)
    return file


# {"w": a tensor of the storage "7", four float32, seen as [2, 2]}, as torch.save writes it.
TENSOR = (
    b"\x80\x02}q\x00X\x01\x00\x00\x00wq\x01ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
    b"ctorch\nFloatStorage\nX\x01\x00\x00\x007X\x03\x00\x00\x00cpuK\x04tQK\x00K\x02K\x02\x86K\x02K\x01\x86"
    b"\x89ccollections\nOrderedDict\n)RtRs."
)


def test_an_archive_is_read():
    numbers = np.arange(4, dtype="<f4")
    found = checkpoint.read(archive(TENSOR, {"7": numbers.tobytes()}))
    np.testing.assert_array_equal(found["w"], numbers.reshape(2, 2))


def test_an_archive_whose_storage_is_cut_short_is_refused():
    with pytest.raises(ValueError, match="storage 7: expected 16 bytes, found 12"):
        checkpoint.read(archive(TENSOR, {"7": bytes(12)}))
