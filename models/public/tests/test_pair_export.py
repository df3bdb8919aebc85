"""The files: layout, agreement with PyTorch, the committed fixtures."""

import json

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to build the networks; install models/public")
onnx = pytest.importorskip("onnx", reason="onnx is needed to export; install models/public")
onnxruntime = pytest.importorskip(
    "onnxruntime", reason="ONNX Runtime is needed to compare; install models/public"
)

import numpy as np  # noqa: E402
from voiceflow_public.export import TOLERANCE, build, compare, export, run  # noqa: E402
from voiceflow_public.inputs import lcg  # noqa: E402
from voiceflow_public.make_fixtures import FIXTURES  # noqa: E402
from voiceflow_public.registry import FAMILIES  # noqa: E402


def test_the_generator():
    numbers = lcg(2, 1)
    assert numbers.dtype == np.float32
    # The first two states from 1 on, worked out by hand.
    assert numbers.tolist() == [(1_015_568_748 >> 8) / 2**23 - 1, (1_586_005_467 >> 8) / 2**23 - 1]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_file_agrees_with_pytorch(name, tmp_path):
    family = FAMILIES[name]
    model = build(family, small=True, seed=4)
    path = tmp_path / "model.onnx"
    export(model, family.toolkit, path)
    assert compare(model, family.toolkit, path) <= TOLERANCE


@pytest.mark.parametrize("name", FAMILIES)
def test_the_committed_file(name):
    family = FAMILIES[name]
    toolkit = family.toolkit
    session = onnxruntime.InferenceSession(str(FIXTURES / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    assert tuple(tensor.name for tensor in session.get_inputs()) == toolkit.inputs
    assert tuple(tensor.name for tensor in session.get_outputs()) == toolkit.outputs
    metadata = session.get_modelmeta().custom_metadata_map
    expected = toolkit.metadata | ({"output_dim": str(family.small["dim"])} if toolkit.embeds else {})
    assert metadata == expected

    entry = json.loads((FIXTURES / "golden.json").read_text())[name]
    length = max(entry["shape"]) if not toolkit.embeds else 200
    output = run(session, toolkit.golden(length, entry["seed"]), toolkit)[0]
    if toolkit.embeds:
        assert np.allclose(output, entry["embedding"], rtol=0, atol=TOLERANCE)
    else:
        assert len(output) == entry["count"]
        assert np.allclose(output[entry["frames"]], entry["log_probabilities"], rtol=0, atol=TOLERANCE)


def test_the_static_batch_refuses_others():
    session = onnxruntime.InferenceSession(
        str(FIXTURES / "campplus_batch1.onnx"), providers=["CPUExecutionProvider"]
    )
    assert session.get_inputs()[0].shape == [1, "T", 80]
    with pytest.raises(Exception, match="Expected: 1"):
        session.run(None, {"x": np.zeros((2, 200, 80), dtype=np.float32)})
