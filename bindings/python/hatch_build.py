"""Puts the library and the command line into the wheel, says what machine the wheel is for, and
puts the licences into the source distribution."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIBRARY = "libvoiceflow.so"
PROGRAM = "voiceflow"
# What a license says lies in this folder of the package.
LICENSES = "libvoiceflow/licenses"


class LibraryHook(BuildHookInterface[Any]):
    """Takes what is built already from VOICEFLOW_BUILT, a folder with the library and the program,
    for the platform VOICEFLOW_PLATFORM; without it, compiles both by Cargo. VOICEFLOW_NOTICES names
    licences of what is compiled in."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "sdist":
            self._resolve_licences(build_data)
            return
        if version == "editable":
            return
        folder = Path(os.environ.get("VOICEFLOW_BUILT") or self._compile())
        into = build_data["force_include"]
        for name, place in ((LIBRARY, f"libvoiceflow/{LIBRARY}.1"), (PROGRAM, f"libvoiceflow/{PROGRAM}")):
            built = folder / name
            if not built.is_file():
                raise FileNotFoundError(f"{built}: no such file; see `make wheel`")
            into[str(built.resolve())] = place
        for notice in os.environ.get("VOICEFLOW_NOTICES", "").split():
            into[notice] = f"{LICENSES}/{Path(notice).name}"
        platform = os.environ.get("VOICEFLOW_PLATFORM") or sysconfig.get_platform()
        build_data["tag"] = f"py3-none-{platform.replace('-', '_').replace('.', '_')}"
        build_data["pure_python"] = False

    def _resolve_licences(self, build_data: dict[str, Any]) -> None:
        """The files themselves: in the checkout they are links, which an archive keeps as such."""
        included = build_data["force_include"]
        for source, place in list(included.items()):
            if Path(source).is_symlink():
                del included[source]
                included[str(Path(source).resolve())] = place

    def _compile(self) -> Path:
        """Compiles the sources that a source distribution contains, or those of the checkout."""
        inside = Path(self.root, "rust")
        root = inside if inside.is_dir() else Path(self.root).parents[1]
        if shutil.which("cargo") is None:
            raise FileNotFoundError(
                "cargo: no such program; the sources of libvoiceflow are compiled by Rust, gcc and cmake"
            )
        command = ["cargo", "build", "--release", "--locked", "--package", "libvoiceflow"]
        subprocess.run([*command, "--package", "libvoiceflow-cli"], cwd=root, check=True)
        return Path(os.environ.get("CARGO_TARGET_DIR") or root / "target", "release")
