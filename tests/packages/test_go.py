"""The Go package as others have it: fetched by `go get`, in each way to have the library."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Of nobody: a name under `invalid` never leads anywhere.
MODULE = "libvoiceflow.invalid/owner/libvoiceflow/bindings/go"
PROGRAM = f"""package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"{MODULE}"
)

func main() {{
	ctx := context.Background()
	diarizer, err := voiceflow.NewDiarizer(ctx, voiceflow.WithBundle("fast-cnn"))
	if err != nil {{
		fmt.Println(errors.Is(err, voiceflow.ErrLibrary), err)
		os.Exit(1)
	}}
	defer diarizer.Close()
	result, err := diarizer.ProcessFile(ctx, os.Args[1])
	if err != nil {{
		panic(err)
	}}
	fmt.Println(voiceflow.Version(), len(result.Speakers()))
}}
"""


def environment(folder: Path, proxy: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "GOPROXY": f"file://{proxy}",
        "GOFLAGS": "-mod=mod -modcacherw",
        "GONOSUMDB": "*",
        "GOTOOLCHAIN": "local",
        "GOMODCACHE": str(folder / "modules"),
        **more,
    }


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("proxy")
    subprocess.run([sys.executable, ROOT / "scripts/go_module.py", MODULE, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def project(proxy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module of a user, who has typed `go get`."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "main.go").write_text(PROGRAM)
    for command in (["go", "mod", "init", "example"], ["go", "get", MODULE]):
        subprocess.run(command, cwd=folder, env=environment(folder, proxy), check=True, capture_output=True)
    assert MODULE in (folder / "go.mod").read_text()
    return folder


def build(project: Path, proxy: Path, program: Path, *arguments: str, **more: str) -> None:
    command = ["go", "build", *arguments, "-o", program, "."]
    done = subprocess.run(
        command, cwd=project, env=environment(project, proxy, **more), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def run(program: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    recording = ROOT / "examples/data/conversation.flac"
    return subprocess.run([program, recording], env=variables, capture_output=True, text=True, timeout=300)


def test_without_a_library_to_build_with(project: Path, proxy: Path, tmp_path: Path) -> None:
    """By the tag dlopen: no compiler finds a library, and no variable says where one is."""
    program = tmp_path / "service"
    build(project, proxy, program, "-tags", "dlopen", PKG_CONFIG="false")
    said = run(program)
    assert said.returncode == 1 and said.stdout.startswith("true ") and "libvoiceflow.so.1" in said.stdout

    runtime = os.environ["VOICEFLOW_ORT_LIBRARY"]
    library = Path(os.environ["VOICEFLOW_LIBRARY"])
    said = run(program, VOICEFLOW_LIBRARY=str(library), VOICEFLOW_ORT_LIBRARY=runtime)
    assert (said.returncode, said.stdout.split()) == (0, [version(), "3"]), said
    said = run(program, VOICEFLOW_LIBRARY=runtime)
    assert said.returncode == 1 and "expected the function vf_version" in said.stdout

    (tmp_path / "lib").mkdir()
    shutil.copy(library, tmp_path / "lib/libvoiceflow.so.1")
    shutil.copy(runtime, tmp_path / "lib")
    said = run(program)
    assert (said.returncode, said.stdout.split()) == (0, [version(), "3"]), said


def test_linked_with_the_library_of_pkg_config(project: Path, proxy: Path, tmp_path: Path) -> None:
    """The program looks beside itself."""
    installed = tmp_path / "prefix"
    subprocess.run(
        [ROOT / "scripts/install.sh", os.environ["VOICEFLOW_LIBRARY"]],
        env={"PATH": os.environ["PATH"], "PREFIX": str(installed)},
        check=True,
        capture_output=True,
    )
    program = tmp_path / "service"
    build(
        project,
        proxy,
        program,
        *("-ldflags", "-extldflags '-Wl,-rpath,$ORIGIN/lib'"),
        PKG_CONFIG_PATH=str(installed / "lib/pkgconfig"),
        # Go's cache knows a package by these flags and not by what pkg-config says.
        CGO_LDFLAGS=f"-O2 -g -L{installed}/lib",
    )
    (tmp_path / "lib").mkdir()
    shutil.copy(installed / "lib/libvoiceflow.so.1", tmp_path / "lib")
    shutil.copy(os.environ["VOICEFLOW_ORT_LIBRARY"], tmp_path / "lib")
    said = run(program)
    assert (said.returncode, said.stdout.split()) == (0, [version(), "3"]), said


def version() -> str:
    text = (ROOT / "Cargo.toml").read_text()
    return text.split('version = "', 1)[1].split('"', 1)[0]
