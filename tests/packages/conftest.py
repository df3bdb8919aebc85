"""What `make packages` built."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
RECORDING = ROOT / "examples/data/conversation.flac"
ARCH = platform.machine()
[VERSION] = re.findall(r'^version = "(\d[^"]*)"$', (ROOT / "Cargo.toml").read_text(), flags=re.M)
# Of ONNX Runtime too.
OLDEST_GLIBC = (2, 28)
THIRD_PARTIES = (
    "symphonia 0.",
    "Mozilla Public License Version 2.0",
    "https://static.crates.io/crates/symphonia/",
)


def run(*command: str | Path, **options: object) -> str:
    """What a command prints; all it says where it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def plain() -> dict[str, str]:
    """An environment in which nothing names a library."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def newest_glibc(file: Path) -> tuple[int, int]:
    """The latest version of glibc that the file has a symbol of."""
    needs = run("readelf", "-VW", file)
    return max((int(major), int(minor)) for major, minor in re.findall(r"GLIBC_(\d+)\.(\d+)", needs))
