"""The examples in examples/python and in the READMEs, run as they say, and the notebook."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import soundfile
from conftest import RATE, RECORDING, ROOT
from libvoiceflow import Diarization
from nbclient import NotebookClient
from numpy.typing import NDArray

FOLDER = ROOT / "examples/python"
README = (FOLDER / "README.md").read_text()
COMMANDS: list[tuple[str, str]] = re.findall(r"```console\n\$ (.*?)\n(.*?)```", README, flags=re.S)
TASKS = ("diarize", "stream", "batch_infer", "identify", "own_logger", "deadline", "plot")


def masked(text: str) -> str:
    """Without its numbers, which differ a little between processors, and the room they take."""
    return re.sub(r"\s+", " ", re.sub(r"-?\d+(\.\d+)?", "#", text)).strip()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, audio: NDArray[np.float32], result: Diarization) -> Path:
    """The folder of the examples with what their commands name."""
    root = tmp_path_factory.mktemp("examples")
    shutil.copytree(FOLDER, root / "python", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "data").mkdir()
    shutil.copy(RECORDING, root / "data")
    (np.round(audio * 2**15).astype("<i2")).tofile(root / "python/conversation.raw")
    for name, speaker in ("ada", 0), ("bob", 2):
        turns = [
            audio[int(segment.start * RATE) : int(segment.end * RATE)]
            for segment in result
            if segment.speaker_index == speaker and not segment.overlap
        ]
        soundfile.write(root / "python" / f"{name}.wav", np.concatenate(turns), RATE)
    return root / "python"


def run(place: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A command of the README, by this Python."""
    command = command.replace("python", sys.executable, 1)
    return subprocess.run(command, shell=True, cwd=place, capture_output=True, text=True)


def test_every_task_is_in_the_readme() -> None:
    assert {command.split()[1].removesuffix(".py") for command, _ in COMMANDS} == set(TASKS)


@pytest.mark.parametrize(("command", "told"), COMMANDS)
def test_an_example_prints_what_the_readme_says(place: Path, command: str, told: str) -> None:
    done = run(place, command)
    assert done.returncode == 0, done.stderr
    # A part left out is a line of its own.
    first, _, last = told.partition("…\n")
    printed = masked(done.stdout)
    assert printed.startswith(masked(first)) and printed.endswith(masked(last))
    if not last:
        assert printed == masked(first)


@pytest.mark.parametrize("task", TASKS)
def test_an_example_tells_what_is_wrong(place: Path, task: str) -> None:
    name = f"{task}.py"
    others = {"identify": "/nowhere.flac Ada=ada.wav", "deadline": "/nowhere.flac 9"}
    others |= {"stream": "99 < /dev/null", "plot": "/nowhere.flac timeline.png"}
    done = run(place, f"python {name} {others.get(task, '/nowhere.flac')}")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert ("5" if task == "stream" else "/nowhere.flac") in done.stderr + done.stdout
    if task != "stream":
        assert run(place, f"python {name}").returncode == 2


@pytest.mark.parametrize("readme", [ROOT / "README.md", ROOT / "bindings/python/README.md"])
def test_the_block_of_a_readme_runs(readme: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", readme.read_text(), flags=re.S)
    assert len(blocks) == 1
    shutil.copy(RECORDING, tmp_path / "meeting.flac")
    done = subprocess.run([sys.executable, "-c", blocks[0]], cwd=tmp_path, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "") and len(lines) > 10
    assert all(re.fullmatch(r" *\d+\.\d\d +\d+\.\d\d SPEAKER_0\d", line) for line in lines)


def outputs(notebook: Any) -> list[Any]:
    """What a notebook shows, without its numbers."""
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {"text/plain": output.get("text", "")})
            shown.append({kind: masked(text) for kind, text in sorted(data.items())})
    return shown


def test_the_notebook_shows_what_it_says(tmp_path: Path) -> None:
    """VOICEFLOW_BLESS=1 writes it anew."""
    file = FOLDER / "timeline.ipynb"
    committed, executed = (nbformat.read(file, as_version=4) for _ in range(2))
    NotebookClient(
        executed, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    for cell in executed.cells:
        cell.metadata = {}
    if os.environ.get("VOICEFLOW_BLESS"):
        executed.metadata = committed.metadata
        nbformat.write(executed, file)
        committed = executed
    assert outputs(executed) == outputs(committed)
    assert sum("<svg" in output.get("text/html", "") for output in outputs(committed)) == 2
    assert file.stat().st_size < 40_000
