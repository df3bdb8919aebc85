"""models/manifest.json: every model folder of the project, and which one is the default.

``python -m voiceflow_models.export.manifest MODELS --default fast-cnn``
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

FORMAT = 1
CONTRACT = 1
"""Of the model contract that all listed models keep."""

COPIED = ("name", "version", "precision", "sha256", "bytes")
"""What the manifest repeats of a model's metadata.json."""


def manifest(models: Path, default: str) -> dict:
    """What the folders ``<name>/<version>`` hold; the newest version of ``default`` is the
    default."""
    entries = []
    for path in models.glob("*/*/metadata.json"):
        facts = json.loads(path.read_text())
        folder = path.parent.relative_to(models).as_posix()
        if folder != f"{facts['name']}/{facts['version']}":
            raise SystemExit(
                f"{path}: expected it in {facts['name']}/{facts['version']}, found it in {folder}"
            )
        entries.append(
            {**{name: facts[name] for name in COPIED}, "contract": CONTRACT, "path": f"{folder}/model.onnx"}
        )
    entries.sort(key=lambda entry: (entry["name"], _numbers(entry["version"])))
    paths = [entry["path"] for entry in entries if entry["name"] == default]
    if not paths:
        raise SystemExit(f"{models}: expected a model {default}/<version>/metadata.json, found none")
    return {"format": FORMAT, "default": paths[-1], "models": entries}


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def main() -> None:
    """Writes the manifest anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, help="the folder with <name>/<version>/ folders")
    parser.add_argument("--default", required=True, help="name of the default model")
    options = parser.parse_args()
    text = json.dumps(manifest(options.models, options.default), indent=2) + "\n"
    (options.models / "manifest.json").write_text(text)


if __name__ == "__main__":
    main()
