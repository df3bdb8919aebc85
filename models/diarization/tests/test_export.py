"""The exported graph and its variants, with random weights: clean, equal to PyTorch, close to each
other."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to export; install models/diarization")
pytest.importorskip("onnxslim", reason="onnxslim is needed to export; install models/diarization")

import onnx  # noqa: E402
from voiceflow_models.export import plda, variants  # noqa: E402
from voiceflow_models.export.folder import TOLERANCES, write_folder  # noqa: E402
from voiceflow_models.export.graph import Properties  # noqa: E402
from voiceflow_models.export.half import core  # noqa: E402
from voiceflow_models.export.quantize import heavy_nodes  # noqa: E402
from voiceflow_models.export.variants import Variants, differences, open_on_one_thread  # noqa: E402
from voiceflow_models.layout import WINDOW_SAMPLES  # noqa: E402
from voiceflow_models.networks.checkpoint import Trained  # noqa: E402
from voiceflow_models.networks.fast_cnn import FastCnn, FastCnnConfig  # noqa: E402

PROGRAMS = Path(__file__).parents[1]
SMALL = FastCnnConfig(channels=128, voice_channels=128, context_layers=1)


def export_small(out: Path, windows: Path, wanted: tuple[bool, bool], shipped: str) -> None:
    """Writes the folder of a small network; batch norms that do something."""
    torch.manual_seed(2)
    network = FastCnn(SMALL).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
            torch.nn.init.normal_(module.running_mean, std=0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    (windows / "shard-00000").mkdir()
    random = np.random.default_rng(4)
    gate = random.integers(0, 2, (6, WINDOW_SAMPLES // 4000)).repeat(4000, axis=1)
    audio = random.standard_normal((6, WINDOW_SAMPLES)) * (gate * 3000 + 30)
    np.save(windows / "shard-00000" / "audio.npy", audio.astype(np.int16))
    thresholds = {"onset": 0.5, "offset": 0.5, "clustering": 0.7}
    tuning = {"clustering": "vbx", "trusted_s": 1.5, "short_hop_s": None}
    properties = Properties("fast-cnn", "1.2.3", 10.0, 5.0, thresholds, tuning, network.embedding_dim)
    with pytest.MonkeyPatch.context() as patch:
        # The voices of random weights are nobody's: those of different speakers take their place.
        speakers = np.arange(40).repeat(8)
        drawn = random.standard_normal((40, network.embedding_dim))[speakers]
        drawn += random.standard_normal(drawn.shape) * 0.3
        patch.setattr(plda, "collect", lambda *_: (drawn, speakers))
        patch.setattr(variants, "CALIBRATION_WINDOWS", 4)
        patch.setattr(variants, "UNSEEN_WINDOWS", 2)
        patch.setattr(variants, "TIMED_RUNS", 3)
        trained = Trained(network, "fast-cnn", 0, 0.0)
        write_folder(trained, properties, out, {}, Variants(*wanted, windows), shipped)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model folder with all variants, float32 shipped."""
    out = tmp_path_factory.mktemp("model")
    export_small(out, tmp_path_factory.mktemp("windows"), (True, True), "fp32")
    return out


def test_eight_bits_can_ship(folder, tmp_path):
    (tmp_path / "windows").mkdir()
    export_small(tmp_path / "out", tmp_path / "windows", (False, True), "int8")
    whole, shipped = tmp_path / "out" / "model.fp32.onnx", tmp_path / "out" / "model.onnx"
    assert whole.read_bytes() == (folder / "model.onnx").read_bytes()
    assert shipped.read_bytes() == (folder / "model.int8.onnx").read_bytes()
    metadata, golden = (
        json.loads((tmp_path / "out" / name).read_text()) for name in ("metadata.json", "golden.json")
    )
    assert (metadata["precision"], metadata["bytes"]) == ("int8", shipped.stat().st_size)
    assert (golden["model_sha256"], golden["tolerance"]) == (metadata["sha256"], TOLERANCES["int8"])
    names = [line.split()[1] for line in (tmp_path / "out" / "checksum.sha256").read_text().splitlines()]
    assert names == ["model.onnx", "model.fp32.onnx"]
    # Each precision is checked against its own results when it is loaded.
    of_whole = json.loads((tmp_path / "out" / "model.fp32.golden.json").read_text())
    assert of_whole["model_sha256"] == hashlib.sha256(whole.read_bytes()).hexdigest()
    assert of_whole["tolerance"] == TOLERANCES["fp32"]


def test_nothing_but_arithmetic_is_left(folder):
    graph = onnx.load(folder / "model.onnx").graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    assert [list(node.input) for node in graph.node if node.op_type == "Shape"] == [["audio"]]
    assert [node.name for node in graph.node if node.op_type == "BatchNormalization"] == [
        "/feature_norm/BatchNormalization"
    ]
    for node in graph.node:
        assert node.op_type not in ("Constant", "ConstantOfShape", "Expand", "Mod", "Identity"), node.name
        if node.op_type == "Conv":
            assert len(constants[node.input[1]].dims) == 4, node.name
        if node.op_type == "Pad":
            assert makers[node.input[1]].op_type == "Concat", node.name
    # Rows go back to windows, as they are and by head; every other shape is a constant.
    shapes = {node.input[1] for node in graph.node if node.op_type == "Reshape"} - set(constants)
    assert [makers[shape].op_type for shape in shapes] == ["Concat", "Concat"]


def test_products_with_weights_bring_their_bias(folder):
    graph = onnx.load(folder / "model.int8.onnx").graph
    products = [
        node for node in heavy_nodes(onnx.load(folder / "model.onnx").graph) if node.op_type != "Conv"
    ]
    assert products and all(node.op_type == "Gemm" and len(node.input) == 3 for node in products)
    biases = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    by_name = {node.name: node for node in graph.node}
    assert all(by_name[node.name].input[2] in biases for node in products)


def test_the_report_has_what_was_measured(folder):
    report = json.loads((folder / "validation_report.json").read_text())
    assert report["largest_difference_from_pytorch"] < 1e-4
    assert set(report["variants"]) == {"fp16", "int8"}
    for name, variant in report["variants"].items():
        assert variant["bytes"] == (folder / f"model.{name}.onnx").stat().st_size
        assert all(time > 0 for time in variant["milliseconds"].values())
    names = [line.split()[1] for line in (folder / "checksum.sha256").read_text().splitlines()]
    assert names == ["model.onnx", "model.fp16.onnx", "model.int8.onnx"]
    properties = {entry.key: entry.value for entry in onnx.load(folder / "model.onnx").metadata_props}
    assert len(json.loads(properties[plda.KEY])["mu"]) == plda.DIMENSIONS


@pytest.mark.parametrize(
    ("variant", "share", "activity", "cosine"), [("fp16", 0.65, 0.005, 0.999), ("int8", 0.5, 0.05, 0.97)]
)
def test_variants_are_smaller_and_close(folder, variant, share, activity, cosine):
    whole, small = folder / "model.onnx", folder / f"model.{variant}.onnx"
    assert small.stat().st_size < share * whole.stat().st_size
    random = np.random.default_rng(9)
    audio = (random.standard_normal((3, 48_123)) * 0.1).astype(np.float32)
    found = differences(open_on_one_thread(whole), open_on_one_thread(small), audio)
    assert 0 < found["activity_largest_difference"] < activity
    assert found["speakers_heard"] == 9
    assert found["speakers_heard_by_one_only"] == 0
    assert cosine < found["embedding_lowest_cosine"] < 1


@pytest.mark.parametrize("name", ["model.onnx", "model.fp16.onnx", "model.int8.onnx"])
def test_every_file_keeps_the_contract(folder, name):
    done = subprocess.run(
        [sys.executable, PROGRAMS / "validate_contract.py", folder / name], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    properties = [
        {entry.key: entry.value for entry in onnx.load(folder / file).metadata_props}
        for file in ("model.onnx", name)
    ]
    assert properties[0] == properties[1]


def test_front_end_and_pooling_stay_in_float32(folder):
    whole = onnx.load(folder / "model.onnx").graph
    inside = core(whole)
    assert {node.name for node in heavy_nodes(whole)} <= inside
    assert not [name for name in inside if name.startswith(("/features/", "/feature_norm/", "/classify/"))]
    assert "/voice_project/Gemm" not in inside
    quantized = onnx.load(folder / "model.int8.onnx").graph
    after = {node.output[0]: node for node in quantized.node if node.op_type == "DequantizeLinear"}
    readers = {
        node.name
        for node in quantized.node
        if node.op_type in ("Conv", "MatMul", "Gemm") and node.input[1] in after
    }
    assert readers == {node.name for node in heavy_nodes(whole)}


def test_too_few_windows_are_refused(tmp_path):
    (tmp_path / "shard-00000").mkdir()
    np.save(tmp_path / "shard-00000" / "audio.npy", np.zeros((3, 8), np.int16))
    with pytest.raises(SystemExit, match="expected at least 96 windows in shard-\\*, found 3"):
        variants.training_windows(tmp_path)


def test_calibration_and_comparison_share_no_window(tmp_path):
    for shard in range(2):
        (tmp_path / f"shard-{shard:05}").mkdir()
        numbers = np.arange(shard * 60, shard * 60 + 60, dtype=np.int16)
        np.save(tmp_path / f"shard-{shard:05}" / "audio.npy", numbers[:, None])
    seen, unseen = variants.training_windows(tmp_path)
    assert (len(seen), len(unseen)) == (64, 32)
    assert len(np.unique(np.concatenate([seen, unseen]))) == 96


def test_int8_needs_windows(tmp_path):
    command = [sys.executable, PROGRAMS / "export_onnx.py", "--checkpoint", tmp_path / "none.pt"]
    command += ["--out", tmp_path, "--version", "1.0.0", "--quantize-int8"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and "--quantize-int8 needs --calibration" in done.stderr
