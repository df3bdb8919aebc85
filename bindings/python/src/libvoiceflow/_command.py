"""The command line: the program `voiceflow` of this package, of the library's installation, or of
the system."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from . import _runtime

_NAME = "voiceflow"
_NOT_FOUND = 127


def main(given: Sequence[str] | None = None) -> NoReturn:
    """Becomes the program, with these arguments or those of this process. It gets the ONNX Runtime
    of an installed package, unless the environment names one."""
    program = _program()
    if program is None:
        print(f"{_NAME}: {_missing()}", file=sys.stderr)
        sys.exit(_NOT_FOUND)
    environment = dict(os.environ)
    if not _runtime.named() and not _beside(program) and (runtime := _runtime.installed()):
        environment["VOICEFLOW_ORT_LIBRARY"] = runtime
    sys.stdout.flush()
    os.execve(program, [_NAME, *(sys.argv[1:] if given is None else given)], environment)


def _program() -> Path | None:
    places = [Path(__file__).with_name(_NAME)]
    if library := os.environ.get("VOICEFLOW_LIBRARY"):
        folder = Path(library).resolve().parent
        places += [folder / _NAME, folder.parent / "bin" / _NAME]
    found = next((place for place in places if os.access(place, os.X_OK)), None)
    return found or _of_system()


def _of_system() -> Path | None:
    """The first in PATH that is a program, and not a script of a Python environment, which would
    end up here again."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which(_NAME, path=folder) if folder else None
        if found:
            with open(found, "rb") as file:
                if file.read(4) == b"\x7fELF":
                    return Path(found)
    return None


def _beside(program: Path) -> bool:
    """Whether the program finds a runtime in its own installation."""
    folder = program.resolve().parent
    return bool(_runtime.runtimes(folder) or _runtime.runtimes(folder.parent / "lib"))


def _missing() -> str:
    inside = Path(__file__).with_name(_NAME)
    return f"the program is not there: expected {inside}, which wheels have, or {_NAME} in PATH"
