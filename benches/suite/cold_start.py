"""A new process, from before a package is imported until the first result: each loads ONNX Runtime
in it."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from setting import ROOT, SAMPLE_RATE, Setting

sys.path.insert(0, str(ROOT / "benches" / "peers"))
from models import with_metadata  # noqa: E402

HERE = Path(__file__).resolve().parent
PEERS_PYTHON = ROOT / ".cache" / "peers" / "venv" / "bin" / "python"
SECONDS = 10  # of audio that the diarizers are given


def measure(setting: Setting) -> dict:
    """Milliseconds of each contender in each round."""
    rounds = 15 if setting.full else 7
    script = HERE / "cold_start_contenders.py"
    cache = setting.scratch / "optimised"
    contenders = {
        "vf_session": [sys.executable, script, "session", setting.model],
        "vf_session_cached": [sys.executable, script, "session", setting.model, cache],
        "onnxruntime": [sys.executable, script, "onnxruntime", setting.model],
        "vf_diarizer": [sys.executable, script, "diarizer", setting.recording(1)],
        "vf_diarizer_cached": [sys.executable, script, "diarizer", setting.recording(1), cache],
    }
    if setting.full and setting.segmentation and setting.embedding:
        # sherpa-onnx needs options for what the file's tensors show.
        segmentation = with_metadata(
            setting.segmentation, setting.scratch / "segmentation_with_metadata.onnx"
        )
        files = [segmentation, setting.embedding, setting.recording(1)]
        contenders["sherpa-onnx"] = [PEERS_PYTHON, script, "sherpa-onnx", *files]
    found: dict = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, command in contenders.items():
            command = [str(part) for part in command]
            done = subprocess.run(
                command, env=setting.environment(), stdout=subprocess.PIPE, text=True, check=True
            )
            # The first fills the cache, and the system's of files.
            if number > 0:
                found[name].append(json.loads(done.stdout))
    return found


def markdown(found: dict) -> str:
    """A row for each contender."""
    names = {
        "vf_session": ("libvoiceflow, session, 3 s", "onnxruntime"),
        "vf_session_cached": ("the same with a cache folder", "onnxruntime"),
        "onnxruntime": ("onnxruntime (Python), same file, 3 s", "onnxruntime"),
        "vf_diarizer": (f"libvoiceflow, diarizer, {SECONDS} s", "sherpa-onnx"),
        "vf_diarizer_cached": ("the same with a cache folder", "sherpa-onnx"),
        "sherpa-onnx": (f"sherpa-onnx, {SECONDS} s", "sherpa-onnx"),
    }
    lines = [
        "| package and model loaded, first result | ms, median | of the other's |",
        "| --- | ---: | ---: |",
    ]
    for key, times in found.items():
        name, other = names[key]
        share = f"{statistics.median(times) / statistics.median(found[other]):.2f}" if other in found else "-"
        lines.append(f"| {name} | {statistics.median(times):.1f} | {share} |")
    return "\n".join(lines)


def samples_of(path: str):
    """The first seconds of a recording."""
    import soundfile

    samples, rate = soundfile.read(path, dtype="float32", frames=SECONDS * SAMPLE_RATE)
    assert rate == SAMPLE_RATE
    return samples
