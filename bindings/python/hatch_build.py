"""Puts libvoiceflow into the wheel, and says what machine the wheel is for."""

import os
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LibraryHook(BuildHookInterface[Any]):
    """Takes the library from VOICEFLOW_BUNDLE, and licences of what is compiled in from
    VOICEFLOW_NOTICES."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        library = Path(os.environ.get("VOICEFLOW_BUNDLE", ""))
        if not library.is_file():
            raise FileNotFoundError(
                f"VOICEFLOW_BUNDLE: expected the path of libvoiceflow.so.1, got '{library}'; see `make wheel`"
            )
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        build_data["pure_python"] = False
        build_data["force_include"][str(library.resolve())] = "libvoiceflow/libvoiceflow.so.1"
        for notice in os.environ.get("VOICEFLOW_NOTICES", "").split():
            build_data["force_include"][notice] = f"libvoiceflow/licenses/{Path(notice).name}"
