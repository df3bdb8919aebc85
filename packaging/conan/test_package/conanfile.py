"""A program in C++ that finds the package by CMake, and diarizes a recording."""

from pathlib import Path

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout

ROOT = Path(__file__).parents[3]


class LibvoiceflowTest(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps", "CMakeToolchain", "VirtualRunEnv"

    def requirements(self) -> None:
        self.requires(self.tested_reference_str)

    def layout(self) -> None:
        cmake_layout(self)

    def build(self) -> None:
        cmake = CMake(self)
        cmake.configure(build_script_folder=str(ROOT / "tests/consumers/cmake"))
        cmake.build()

    def test(self) -> None:
        if can_run(self):
            program = Path(self.cpp.build.bindir, "consumer").absolute()
            self.run(f'"{program}" "{ROOT}/examples/data/conversation.flac"', env="conanrun")
