"""How voices differ within and between speakers, estimated and written into a model file."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from voiceflow_models.export import plda

DIM = 12


@pytest.fixture
def voices():
    """Embeddings of 300 speakers, 8 each: they differ in three directions, and vary most in a
    fourth."""
    random = np.random.default_rng(3)
    speakers = np.arange(300).repeat(8)
    spread = np.full(DIM, 0.05)
    spread[3] = 0.6
    means = np.zeros((300, DIM))
    means[:, :3] = random.standard_normal((300, 3)) * [0.9, 0.7, 0.5]
    return means[speakers] + random.standard_normal((len(speakers), DIM)) * spread + 0.3, speakers


def features(arrays, embeddings):
    """As the library computes them (src/diarize/clustering/plda.rs)."""

    def scaled(rows):
        return rows * np.sqrt(rows.shape[1]) / np.linalg.norm(rows, axis=1, keepdims=True)

    projected = scaled(embeddings - arrays["mean1"]) @ arrays["lda"] - arrays["mean2"]
    return (scaled(projected) - arrays["mu"]) @ arrays["tr"].T


def test_features_vary_by_one_within_speakers_and_by_psi_between_them(voices):
    embeddings, speakers = voices
    arrays = plda.fit(embeddings, speakers, dimensions=5)
    assert arrays["lda"].shape == (DIM, 5) and arrays["tr"].shape == (5, 5)
    within, between = plda.scatter(features(arrays, embeddings), speakers)
    assert np.allclose(np.diag(within), 1, atol=0.15)
    assert np.allclose(within - np.diag(np.diag(within)), 0, atol=0.1)
    assert np.allclose(np.diag(between), arrays["psi"], rtol=0.1, atol=0.1)
    assert np.all(np.diff(arrays["psi"]) <= 0)
    assert arrays["psi"][2] > 1 > arrays["psi"][3] > 0


def test_speakers_with_one_voice_add_nothing(voices):
    embeddings, _ = voices
    with pytest.raises(SystemExit, match="expected speakers with several voices"):
        plda.fit(embeddings, np.arange(len(embeddings)))


def test_local_speakers_who_are_two_speakers_are_left_out():
    activity = np.zeros((100, 3))
    activity[:40, 0] = 0.9
    activity[40:90, 2] = 0.9
    activity[90:, 1] = 0.9
    exact = np.array([2] * 40 + [1] * 30 + [3] * 20 + [3] * 10)
    # The third slot is two speakers, the second has too little speech.
    assert plda.pure_local_speakers(activity, exact, np.array([7, 8, 9])) == [(0, 8)]
    assert plda.pure_local_speakers(activity, exact, np.array([7, -1, 9])) == []


def test_the_file_holds_the_arrays(tmp_path, voices):
    arrays = plda.fit(*voices, dimensions=4)
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    node = helper.make_node("Relu", ["x"], ["y"])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    onnx.save(helper.make_model(helper.make_graph([node], "g", [value], [out])), tmp_path / "model.onnx")
    plda.stamp(tmp_path / "model.onnx", arrays)
    properties = {entry.key: entry.value for entry in onnx.load(tmp_path / "model.onnx").metadata_props}
    found = json.loads(properties["voiceflow.plda"])
    assert (found["fa"], found["fb"]) == (plda.FACTORS["fa"], plda.FACTORS["fb"])
    for name, array in arrays.items():
        assert np.allclose(found[name], array.ravel(), rtol=10 ** (1 - plda.DIGITS))
