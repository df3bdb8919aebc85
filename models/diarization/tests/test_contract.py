"""The check of the model contract: a good file passes, and each way to break one is named."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_model import write_tiny_model

pytest.importorskip("onnxruntime", reason="ONNX Runtime is needed to run models; install models/diarization")

import onnxruntime  # noqa: E402
from voiceflow_models.contract.metadata import check_metadata  # noqa: E402
from voiceflow_models.contract.runs import check_golden, check_runs  # noqa: E402
from voiceflow_models.contract.tensors import check_tensors  # noqa: E402
from voiceflow_models.export.golden import write_golden  # noqa: E402

PROGRAM = Path(__file__).parents[1] / "validate_contract.py"


PLDA = {
    "fa": 0.1,
    "fb": 1.0,
    "mean1": [0.0] * 8,
    "lda": [0.5] * 16,
    "mean2": [0.0] * 2,
    "mu": [0.0] * 2,
    "tr": [1.0, 0.0, 0.0, 1.0],
    "psi": [2.0, 1.0],
}


def breaches(path):
    """All breaches of a file that can be opened, class by class."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    facts, metadata = check_metadata(session.get_modelmeta().custom_metadata_map)
    found = {
        "metadata": metadata,
        "tensors": check_tensors(session.get_inputs(), session.get_outputs(), facts),
    }
    if all(check.breach is None for checks in found.values() for check in checks):
        found["runs"] = check_runs(session, facts, np.full(5000, 0.1, np.float32))
        found["golden"] = check_golden(session, path)
    return {
        name: [str(check) for check in checks if check.breach is not None] for name, checks in found.items()
    }


def test_a_good_file_passes(tmp_path):
    path = write_tiny_model(tmp_path / "model.onnx")
    write_golden(path, tmp_path / "golden.json")
    assert breaches(path) == {"metadata": [], "tensors": [], "runs": [], "golden": []}


def test_a_tuning_may_be_there(tmp_path):
    shipped = {"tuning": (Path(__file__).parents[1] / "tuning.json").read_text(), "plda": json.dumps(PLDA)}
    without = [{"tuning": "{}"}, {"tuning": '{"min_cluster_share": 0.04, "short_hop_s": null}'}]
    for properties in (shipped, *without):
        assert breaches(write_tiny_model(tmp_path / "model.onnx", properties))["metadata"] == []


def test_a_plda_may_be_there(tmp_path):
    path = write_tiny_model(tmp_path / "model.onnx", {"plda": json.dumps(PLDA)})
    assert breaches(path)["metadata"] == []


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("contract", "2", "voiceflow.contract: expected 1, found '2'"),
        ("name", None, "voiceflow.name: expected a name, found no such key"),
        ("name", "  ", "voiceflow.name: expected a name, found '  '"),
        ("version", "1.0", "expected a semantic version such as 1.0.0, found '1.0'"),
        ("sample_rate", "8000", "voiceflow.sample_rate: expected 16000, found '8000'"),
        ("hop_samples", "16001", "voiceflow.hop_samples: expected a number from 1 to 16000, found '16001'"),
        ("max_speakers", "many", "voiceflow.max_speakers: expected a number from 1 to 16, found 'many'"),
        ("thresholds", '{"onset": 0.5}', "voiceflow.thresholds: expected a JSON object"),
        ("thresholds", '{"onset": 2, "offset": 0.5, "clustering": 0.7}', "onset from 0 to 1"),
        ("thresholds", "0.5", "voiceflow.thresholds: expected a JSON object"),
        ("tuning", "[1]", "voiceflow.tuning: expected a JSON object, found '[1]'"),
        ("tuning", '{"trusted_s": -1}', "voiceflow.tuning, trusted_s: expected 0 to 60, found -1"),
        ("tuning", '{"trusted_s": null}', "voiceflow.tuning, trusted_s: expected 0 to 60, found None"),
        ("tuning", '{"short_hop_s": "x"}', "short_hop_s: expected 0.1 to 60, or null, found 'x'"),
        (
            "tuning",
            '{"clustering": "k"}',
            "voiceflow.tuning, clustering: expected average or centroid or vbx",
        ),
        (
            "tuning",
            '{"clustering": "vbx"}',
            "clustering: expected average or centroid from a file without voiceflow.plda, found 'vbx'",
        ),
        ("tuning", '{"hop_s": 1}', "voiceflow.tuning, hop_s: expected clustering, trusted_s, "),
        ("plda", "[1]", "voiceflow.plda: expected a JSON object with fa and fb above 0"),
        ("plda", json.dumps({**PLDA, "mu": [0.0]}), "the arrays of a PLDA for embeddings of 8"),
        ("plda", json.dumps({**PLDA, "psi": [2.0, 0.0]}), "voiceflow.plda: expected"),
    ],
)
def test_broken_metadata_is_named(tmp_path, key, value, message):
    found = breaches(write_tiny_model(tmp_path / "model.onnx", {key: value}))
    assert len(found["metadata"]) == 1
    assert message in found["metadata"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 1}, "input `audio`, axis 0 of [batch, samples]: expected a dynamic size, found 1"),
        ({"activity": "speech"}, "output `activity`: expected float32 [batch, frames, speakers], found only"),
        ({"properties": {"embedding_dim": "9"}}, "axis 2 of [batch, speakers, dim]: expected 9, found 8"),
    ],
)
def test_broken_tensors_are_named(tmp_path, changes, message):
    found = breaches(write_tiny_model(tmp_path / "model.onnx", **changes))
    assert found["metadata"] == []
    assert message in found["tensors"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"squash": "Relu"}, "activity on a click: expected values from 0 to 1"),
        ({"squash": "Log"}, "found nan to nan"),
        ({"step": 320}, "shapes on silence: expected ((1, 25, 3), (1, 3, 8)), found ((1, 50, 3), (1, 3, 8))"),
        ({"length": 0.5}, "embedding on silence: expected length 1 or zeros, found 0.5"),
        ({"mixes_rows": True}, "batch: expected the same for a row alone and among others"),
    ],
)
def test_broken_results_are_named(tmp_path, changes, message):
    found = breaches(write_tiny_model(tmp_path / "model.onnx", **changes))
    assert found["metadata"] == found["tensors"] == []
    assert any(message in line for line in found["runs"]), found["runs"]


def test_another_golden_vector_is_a_breach(tmp_path):
    path = write_tiny_model(tmp_path / "model.onnx")
    write_golden(path, tmp_path / "golden.json")
    golden = json.loads((tmp_path / "golden.json").read_text())
    golden["activity"]["data"][5] += 0.01
    (tmp_path / "golden.json").write_text(json.dumps(golden))
    assert "golden `activity`: expected the known values" in breaches(path)["golden"][0]
    (tmp_path / "golden.json").write_text("{}")
    assert "golden.json: expected the outputs of the exporter" in breaches(path)["golden"][0]


def test_a_golden_vector_of_another_model_is_not_used(tmp_path):
    other = write_tiny_model(tmp_path / "model.onnx", {"name": "other"})
    write_golden(other, tmp_path / "golden.json")
    path = write_tiny_model(tmp_path / "model.int8.onnx")
    assert breaches(path)["golden"] == []


def test_the_program_reports_and_ends_at_the_first_broken_class(tmp_path):
    def run(path):
        done = subprocess.run([sys.executable, PROGRAM, path], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    status, out, _ = run(write_tiny_model(tmp_path / "good.onnx"))
    assert status == 0 and "keeps the model contract" in out and "ok    voiceflow.name" in out
    status, out, error = run(write_tiny_model(tmp_path / "bad.onnx", {"version": "x"}, length=0.5))
    assert status == 1 and "FAIL  voiceflow.version" in out and "runs" not in out
    assert "bad.onnx: breaks the model contract, metadata: 1 of 11" in error
    (tmp_path / "text.onnx").write_text("not a model")
    assert run(tmp_path / "text.onnx")[0] == 1
    status, _, error = run(tmp_path / "none.onnx")
    assert status == 1 and "none.onnx: no such file" in error
