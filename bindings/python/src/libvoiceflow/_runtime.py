"""Finds the ONNX Runtime of an installed package."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import warnings
from pathlib import Path

_NAME = re.compile(r"libonnxruntime\.so(\.[0-9]+)*")
_FOR_GPUS = "onnxruntime-gpu"


def runtimes(folder: Path) -> list[Path]:
    """The ONNX Runtimes in a folder, the newest first."""
    found = [file for file in folder.glob("libonnxruntime.so*") if _NAME.fullmatch(file.name)]
    return sorted(found, key=_version, reverse=True)


def named() -> bool:
    """Whether the environment names one."""
    return bool(os.environ.get("VOICEFLOW_ORT_LIBRARY") or os.environ.get("ORT_DYLIB_PATH"))


def installed() -> str | None:
    """That of the package onnxruntime-gpu, else of onnxruntime; None without either.

    Both put their files into one folder, where each has a file of its own version.
    """
    try:
        # Of a package at the top, finding it imports nothing.
        found = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):
        return None
    folders = (found.submodule_search_locations or []) if found else []
    there = [runtime for folder in folders for runtime in runtimes(Path(folder, "capi"))]
    if not there:
        return None
    return str(_of_gpus(there) or there[0])


def _of_gpus(there: list[Path]) -> Path | None:
    try:
        files = importlib.metadata.files(_FOR_GPUS) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        runtime = next((path for path in there if path.name == file.name), None)
        if runtime is None or file.parent.name != "capi":
            continue
        if file.size is not None and runtime.stat().st_size != file.size:
            warnings.warn(
                f"{runtime}: expected the file of {_FOR_GPUS}, of {file.size} bytes, got one of "
                f"{runtime.stat().st_size}: the package onnxruntime of the same version has taken its place; "
                f"`pip install --force-reinstall --no-deps {_FOR_GPUS}` puts it back",
                RuntimeWarning,
                stacklevel=2,
            )
        return runtime
    return None


def _version(file: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", file.name)]
