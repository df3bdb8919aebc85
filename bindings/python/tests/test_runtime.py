"""Which ONNX Runtime is taken where packages of several lie in one folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from libvoiceflow import _runtime


@pytest.fixture
def capi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an environment with a package onnxruntime that has no library."""
    folder = tmp_path / "onnxruntime/capi"
    folder.mkdir(parents=True)
    folder.with_name("__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    return folder


def install(capi: Path, package: str, version: str, size: int) -> None:
    """As pip does: files over those that are there, and a record of them."""
    name = f"libonnxruntime.so.{version}"
    (capi / name).write_bytes(b"x" * size)
    information = capi.parents[1] / f"{package.replace('-', '_')}-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {package}\nVersion: {version}\n")
    (information / "RECORD").write_text(f"onnxruntime/__init__.py,,0\nonnxruntime/capi/{name},,{size}\n")


def test_none(capi: Path) -> None:
    assert _runtime.installed() is None


def test_the_newest_by_its_numbers(capi: Path) -> None:
    install(capi, "onnxruntime", "1.9.0", 10)
    (capi / "libonnxruntime.so.1.31.1").touch()
    (capi / "libonnxruntime_providers_shared.so").touch()
    assert _runtime.installed() == str(capi / "libonnxruntime.so.1.31.1")


def test_that_of_gpus_beside_a_newer_one(capi: Path) -> None:
    install(capi, "onnxruntime-gpu", "1.31.1", 20)
    install(capi, "onnxruntime", "1.32.0", 10)
    assert _runtime.installed() == str(capi / "libonnxruntime.so.1.31.1")


def test_one_of_the_same_version_has_taken_its_place(capi: Path) -> None:
    install(capi, "onnxruntime-gpu", "1.31.1", 20)
    install(capi, "onnxruntime", "1.31.1", 10)
    with pytest.warns(RuntimeWarning, match="file of onnxruntime-gpu, of 20 bytes, got one of 10"):
        assert _runtime.installed() == str(capi / "libonnxruntime.so.1.31.1")
