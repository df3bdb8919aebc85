"""docs/start, docs/guides and docs/FROM_VOICEFLOW_ML.md, as a new user follows them: every block in
order, in a clean folder, with the installed library, a wheel, and a server of these tests.

`make test-python` says where those are. The page of Rust is compiled and run by `cargo test --doc`.
"""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import blocks
import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs/start").glob("*.md"), *(ROOT / "docs/guides").glob("*.md")])
RUN = [*(page for page in PAGES if page.name != "rust.md"), ROOT / "docs/FROM_VOICEFLOW_ML.md"]
RUNTIME = os.environ["VOICEFLOW_ORT_LIBRARY"]
PREFIX = Path(os.environ["VOICEFLOW_PREFIX"])
WHEEL = Path(os.environ["VOICEFLOW_WHEEL"])
PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
SERVED = "127.0.0.1:8080"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a user who has installed the library, with the recordings that pages name."""
    recording = ROOT / "examples/data/conversation.flac"
    shutil.copy(recording, tmp_path / "meeting.flac")
    samples, rate = soundfile.read(recording, dtype="int16")
    ada = np.concatenate([samples[int(0.6 * rate) : int(5.2 * rate)], samples[30 * rate : int(34.7 * rate)]])
    soundfile.write(tmp_path / "ada.wav", ada, rate)
    half = len(samples) // 2
    soundfile.write(tmp_path / "call.wav", np.stack([samples[:half], samples[half : 2 * half]], axis=1), rate)
    (tmp_path / "voiceflow").symlink_to(PREFIX)
    (tmp_path / "dist").mkdir()
    for wheel in (WHEEL, *WHEEL.parent.glob("libvoiceflow_models_accurate-*.whl")):
        shutil.copy(wheel, tmp_path / "dist")
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    """Nothing of the tests' own but where ONNX Runtime is."""
    names = ("PATH", "LANG", "GOPATH", "GOCACHE", "GOMODCACHE")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    cache = str(Path(os.environ.get("HOME", "/root")) / ".cache")
    paths = f"{PREFIX / 'bin'}:{PROGRAMS}:{kept['PATH']}"
    return {
        "GOCACHE": f"{cache}/go-build",
        "GOFLAGS": "-mod=mod",
        "PIP_CACHE_DIR": f"{cache}/pip",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **kept,
        "PATH": paths,
        "HOME": str(home),
        "CHECKOUT": str(ROOT),
        "VOICEFLOW_ORT_LIBRARY": RUNTIME,
    }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = ["--set", f"listen.address={address}", "--set", "listen.admin=127.0.0.1:0"]
    running = subprocess.Popen(
        [PROGRAMS / "voiceflow-server", *settings],
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/ready", timeout=5)
                break
            except (urllib.error.URLError, ConnectionError):
                assert running.poll() is None and time.monotonic() < until, "the server does not start"
                time.sleep(0.1)
        yield address
    finally:
        running.terminate()
        running.wait(timeout=120)


@pytest.mark.parametrize("page", RUN, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_a_page_does_what_it_says(page: Path, home: Path, request: pytest.FixtureRequest) -> None:
    session = blocks.read(page)
    assert session.steps, "no command is run"
    for name, text in session.files.items():
        (home / name).write_text(text)
    address = request.getfixturevalue("server") if SERVED in page.read_text() else SERVED
    # One shell for all, as a user has: what is exported holds for the next block.
    script = ["set -eu -o pipefail"]
    for number, step in enumerate(session.steps):
        script.append(f"exec > {number}.out")
        script.append(step.commands.replace(SERVED, address))
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=home,
        env=environment(home),
        stderr=subprocess.PIPE,
        text=True,
        timeout=600,
    )
    printed = [(home / f"{number}.out") for number in range(len(session.steps))]
    said = "".join(path.read_text() for path in printed if path.exists())
    assert done.returncode == 0, f"{done.stderr}\n{said}"
    for step, path in zip(session.steps, printed, strict=True):
        lost = blocks.missing(step.expected, path.read_text())
        assert lost is None, f"{lost!r} is not in the output of\n{step.commands}\n{path.read_text()}"


def test_the_page_of_rust_is_a_doctest() -> None:
    assert 'include_str!("../docs/start/rust.md")' in (ROOT / "src/lib.rs").read_text()
