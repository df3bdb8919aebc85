"""What every measurement is given: files, the size of the run, and how to make audio."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
CONVERSATION = ROOT / "examples" / "data" / "conversation.flac"
SAMPLE_RATE = 16_000


@dataclass
class Setting:
    """One run of the benchmark."""

    full: bool
    prefix: Path
    runtime: str
    model: Path
    segmentation: Path | None
    embedding: Path | None
    scratch: Path

    def environment(self) -> dict[str, str]:
        """Of programs that use the installed library."""
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return inherited | {
            # Packages that were installed come compiled; so does ours from its second import on.
            "PYTHONPYCACHEPREFIX": str(self.scratch / "compiled"),
            "VOICEFLOW_LIBRARY": str(self.prefix / "lib" / "libvoiceflow.so.1"),
            "VOICEFLOW_ORT_LIBRARY": self.runtime,
            "PYTHONPATH": str(ROOT / "bindings" / "python" / "src"),
        }

    def recording(self, minutes: int) -> Path:
        """The shipped conversation over and over, as a 16-bit WAV file of that length."""
        path = self.scratch / f"{minutes}min.wav"
        if not path.exists():
            samples, rate = soundfile.read(CONVERSATION, dtype="int16")
            assert rate == SAMPLE_RATE
            wanted = minutes * 60 * SAMPLE_RATE
            soundfile.write(path, np.resize(samples, wanted), SAMPLE_RATE)
        return path


def percentile(values: list[float], percent: int) -> float:
    """By nearest rank: one of the values."""
    return sorted(values)[max(0, -(-percent * len(values) // 100) - 1)]
