"""Whether small changes of a recording leave its diarization as it is.

    .venv/bin/python scripts/test_steady.py [FOLDER with .flac and .rttm] [--models NAME] [--only NAME ...]

Each recording is diarized as it is and changed: 1 and 40 samples cut off its beginning, at gains of
0.5, 0.9 and 1.25, and as MP3 of 64 kb/s and back. A change is steady where the number of speakers
stays and DER moves by at most 2 points. Exits with 1 where fewer than 90 % are. Run by
`make test-steady`.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "target" / "release" / "voiceflow"

MOST_DER = 0.02
"""Most that DER may move."""
LEAST_STEADY = 0.9
"""Share of the changed recordings that has to be steady."""

SHIFTS = (1, 40)
GAINS = (0.5, 0.9, 1.25)


def through_mp3(audio: np.ndarray, rate: int) -> np.ndarray:
    """The audio as an MP3 of 64 kb/s gives it back."""
    file = io.BytesIO()
    # Of the 8 to 160 kb/s that the format has at 16 kHz, level 0.63 is 64.
    soundfile.write(file, audio, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.63)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def changed(audio: np.ndarray, rate: int) -> dict[str, np.ndarray]:
    """The recording by the names of its changes; "plain" is itself."""
    shifted = {f"shift{samples}": audio[samples:] for samples in SHIFTS}
    louder = {f"gain{gain}": np.clip(audio * np.float32(gain), -1, 1) for gain in GAINS}
    return {"plain": audio, **shifted, **louder, "mp3": through_mp3(audio, rate)}


def diarized(folder: Path, models: list[str]) -> dict[str, tuple[int, float]]:
    """Number of speakers and DER of every recording of `folder`, which has their references."""
    found = folder / "found"
    command = [
        PROGRAM,
        "diarize",
        *models,
        *sorted(folder.glob("*.flac")),
        "--format",
        "rttm",
        "--output",
        found,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    command = [PROGRAM, "score", folder, found, "--format", "json"]
    score = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    result = {}
    for row in score["recordings"]:
        lines = (found / f"{row['recording']}.rttm").read_text().splitlines()
        result[row["recording"]] = len({line.split()[7] for line in lines}), row["der"]
    return result


def steady(path: Path, models: list[str]) -> list[bool]:
    """Whether each change of the recording is steady; prints those that are not."""
    audio, rate = soundfile.read(path, dtype="float32")
    reference = path.with_suffix(".rttm").read_text()
    with tempfile.TemporaryDirectory() as scratch:
        for name, version in changed(audio, rate).items():
            soundfile.write(Path(scratch) / f"{name}.flac", version, rate, subtype="PCM_16")
            (Path(scratch) / f"{name}.rttm").write_text(reference.replace(f" {path.stem} ", f" {name} "))
        found = diarized(Path(scratch), models)
    speakers, der = found.pop("plain")
    results = []
    for name, (others, other) in found.items():
        results.append(others == speakers and abs(other - der) <= MOST_DER)
        if not results[-1]:
            numbers = f"{speakers} speakers became {others}, DER {100 * der:.1f} became {100 * other:.1f} %"
            print(f"{path.stem}, {name}: {numbers}")
    return results


def main() -> None:
    """Prints what is not steady, and the share of what is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("VOICEFLOW_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("folder", type=Path, nargs="?", default=data / "eval" / "tune")
    parser.add_argument("--models", default="fast-cnn", help="as for `voiceflow diarize`")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these recordings")
    options = parser.parse_args()
    everything = sorted(options.folder.glob("*.flac"))
    recordings = [path for path in everything if not options.only or path.stem in options.only]
    if not recordings:
        sys.exit(f"{options.folder}: expected recordings (.flac) with their .rttm, found none")
    models = ["--models", options.models]
    results = [each for path in recordings for each in steady(path, models)]
    share = sum(results) / len(results)
    counted = f"{sum(results)} of {len(results)} ({100 * share:.0f} %)"
    print(f"{options.models}: steady in {counted}")
    sys.exit(share < LEAST_STEADY)


if __name__ == "__main__":
    main()
