"""Conan's recipe: the library, compiled by Cargo, and ONNX Runtime beside it.

    conan create packaging/conan

VOICEFLOW_BUILT names a folder with libvoiceflow.so and voiceflow that are compiled already. Without
it Cargo, gcc and cmake compile the sources, without the accurate bundle, whose weights are fetched
by `make`.
"""

import os
import re
from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, load

# What Cargo wants to see of the workspace, and what installs the library.
SOURCES = (
    *("Cargo.toml", "Cargo.lock", "build.rs", "README.md", "LICENSE-*", "src/*", "include/*"),
    *("benches/decoding.rs", "examples/rust/*", "models/fast-cnn/1.0.1/model.onnx"),
    *(f"{member}/{what}" for member in ("cli", "registry", "server") for what in ("Cargo.toml", "src/*")),
    *("scripts/install.sh", "scripts/install/*", "scripts/fetch_runtime.sh"),
    "packaging/notices/*.txt",
)
ROOT = Path("..", "..")


class LibvoiceflowConan(ConanFile):
    name = "libvoiceflow"
    description = "Who spoke when: speaker diarization behind a C ABI"
    license = ("MIT", "Apache-2.0")
    topics = ("audio", "diarization", "speaker", "speech", "voice")
    package_type = "shared-library"
    # Nothing of C++ crosses the interface of the library: one file serves every compiler.
    settings = "os", "arch"

    def set_version(self) -> None:
        manifest = load(self, os.path.join(self.recipe_folder, ROOT, "Cargo.toml"))
        [self.version] = re.findall(r'^version = "(\d[^"]*)"$', manifest, flags=re.M)

    def validate(self) -> None:
        if self.settings.os != "Linux" or self.settings.arch not in ("x86_64", "armv8"):
            found = f"{self.settings.os} on {self.settings.arch}"
            raise ConanInvalidConfiguration(f"expected Linux on x86_64 or armv8, got {found}")

    def export_sources(self) -> None:
        for pattern in SOURCES:
            copy(self, pattern, os.path.join(self.recipe_folder, ROOT), self.export_sources_folder)

    def build(self) -> None:
        if not os.environ.get("VOICEFLOW_BUILT"):
            packages = "--package libvoiceflow --package libvoiceflow-cli"
            self.run(f"cargo build --release --locked {packages}", cwd=self.source_folder)
        self.run("scripts/fetch_runtime.sh", cwd=self.source_folder)

    def package(self) -> None:
        built = os.environ.get("VOICEFLOW_BUILT") or os.path.join(
            os.environ.get("CARGO_TARGET_DIR") or os.path.join(self.source_folder, "target"), "release"
        )
        [runtime] = Path(self.source_folder, ".runtime").glob("*/libonnxruntime.so.*")
        files = f'"{built}/libvoiceflow.so" "{built}/voiceflow" "{runtime}"'
        self.run(
            f'PREFIX="{self.package_folder}" DESTDIR= scripts/install.sh {files}', cwd=self.source_folder
        )
        # Where Conan looks for them.
        documents = os.path.join(self.package_folder, "share", "doc", "voiceflow")
        copy(self, "*", documents, os.path.join(self.package_folder, "licenses"))

    def package_info(self) -> None:
        self.cpp_info.libs = ["voiceflow"]
        self.cpp_info.set_property("cmake_file_name", "voiceflow")
        self.cpp_info.set_property("cmake_target_name", "voiceflow::voiceflow")
        self.cpp_info.set_property("pkg_config_name", "voiceflow")
