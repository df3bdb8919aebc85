"""The manifest of the model folders: what is committed is what the folders hold."""

import hashlib
import json
from pathlib import Path

import pytest
from voiceflow_models.export.manifest import manifest

MODELS = Path(__file__).parents[2]


def test_the_committed_manifest_is_what_the_folders_hold():
    assert json.loads((MODELS / "manifest.json").read_text()) == manifest(MODELS, "fast-cnn")


def test_every_listed_file_is_whole():
    listed = json.loads((MODELS / "manifest.json").read_text())
    assert listed["default"] in [entry["path"] for entry in listed["models"]]
    for entry in listed["models"]:
        data = (MODELS / entry["path"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
        sums = (MODELS / entry["path"]).with_name("checksum.sha256").read_text().splitlines()
        for digest, name in map(str.split, sums):
            content = (MODELS / entry["path"]).with_name(name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest, name


def folder(models: Path, name: str, version: str, place: str | None = None) -> None:
    """A model folder with nothing but what the manifest reads."""
    path = models / (place or f"{name}/{version}")
    path.mkdir(parents=True)
    facts = {"name": name, "version": version, "precision": "fp32", "sha256": "0", "bytes": 1}
    (path / "metadata.json").write_text(json.dumps(facts))


def test_the_newest_version_is_the_default(tmp_path):
    for version in ("1.10.0", "1.9.0", "1.2.11"):
        folder(tmp_path, "fast-cnn", version)
    folder(tmp_path, "other", "9.0.0")
    found = manifest(tmp_path, "fast-cnn")
    assert found["default"] == "fast-cnn/1.10.0/model.onnx"
    assert [entry["version"] for entry in found["models"]] == ["1.2.11", "1.9.0", "1.10.0", "9.0.0"]


def test_a_folder_that_is_not_named_after_its_model_is_refused(tmp_path):
    folder(tmp_path, "fast-cnn", "1.0.0", "fast-cnn/2.0.0")
    with pytest.raises(SystemExit, match="expected it in fast-cnn/1.0.0, found it in fast-cnn/2.0.0"):
        manifest(tmp_path, "fast-cnn")


def test_a_default_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="expected a model fast-cnn/<version>/metadata.json, found none"):
        manifest(tmp_path, "fast-cnn")
