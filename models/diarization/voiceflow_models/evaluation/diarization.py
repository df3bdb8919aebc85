"""Diarization error of a model file on a folder of recordings, as the ``voiceflow`` command line
finds it.

The command line diarizes and scores: what is measured is what users get, with pyannote.metrics'
definitions, no collar and overlap included.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from ..layout import SAMPLE_RATE
from . import rttm

SUFFIXES = (".flac", ".wav", ".ogg", ".mp3")
"""Of the recordings of a folder; the reference of each has its name and ``.rttm``."""

BINARY = Path(__file__).parents[4] / "target" / "release" / "voiceflow"
"""The command line of this checkout, as ``cargo build --release`` leaves it."""

ERRORS = ("missed", "false_alarm", "confusion")


def run(command: list[str | Path]) -> str:
    """Standard output of a command; its standard error is let through."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise SystemExit(f"{command[0]}: expected the voiceflow command line, found no such file") from None
    if done.returncode:
        raise SystemExit(f"{shlex.join(map(str, command))}: exit code {done.returncode}")
    return done.stdout


def score(binary: Path, model: Path, folder: Path, hypotheses: Path) -> dict:
    """Diarizes every recording of ``folder`` into ``hypotheses`` and scores them: voiceflow's own
    JSON. ``model`` is a file, or the folder of a bundle."""
    emptied(hypotheses)
    diarize(binary, model, recordings_of(folder), hypotheses)
    return json.loads(run([binary, "score", folder, hypotheses, "--format", "json"]))


def recordings_of(folder: Path) -> list[Path]:
    """The recordings of a folder that have a reference."""
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    files = [path for path in files if path.with_suffix(".rttm").exists()]
    if not files:
        raise SystemExit(f"{folder}: expected recordings ({', '.join(SUFFIXES)}) with .rttm, found none")
    return files


def emptied(hypotheses: Path) -> None:
    """Makes the folder, or takes away what an earlier run found."""
    hypotheses.mkdir(parents=True, exist_ok=True)
    for old in hypotheses.glob("*.rttm"):
        old.unlink()


def diarize(binary: Path, model: Path, files: list[Path], hypotheses: Path, *more: str) -> None:
    """Diarizes files into a folder."""
    output = ["--format", "rttm", "--output", hypotheses]
    run([binary, "diarize", *files, *output, *named(model), *more])


def named(model: Path) -> list[str | Path]:
    """The option for a model file, or for the folder of a bundle."""
    return ["--models" if model.is_dir() else "--model", model]


def count_told(binary: Path, model: Path, folder: Path, hypotheses: Path) -> dict[str, float | None]:
    """Rates overall where each recording's number of speakers is given: what is left without errors
    of the count."""
    emptied(hypotheses)
    references = rttm.read_folder(folder)
    by_count: dict[int, list[Path]] = {}
    for path in recordings_of(folder):
        by_count.setdefault(len(rttm.speakers(references.get(path.stem, []))), []).append(path)
    for count, files in by_count.items():
        # Nobody is not a number of speakers that can be asked for.
        diarize(binary, model, files, hypotheses, *(["--num-speakers", str(count)] if count else []))
    return rates(json.loads(run([binary, "score", folder, hypotheses, "--format", "json"]))["overall"])


def embeddings(binary: Path, model: Path, audio: list[np.ndarray]) -> np.ndarray:
    """Embeddings of pieces of audio with one talker each, as the command line finds them; zeros
    where it finds nobody [pieces, embedding_dim]."""
    found: dict[int, list[float]] = {}
    if not audio:
        return np.zeros((0, 1))
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / f"{index}.wav" for index in range(len(audio))]
        for path, samples in zip(files, audio, strict=True):
            soundfile.write(path, samples, SAMPLE_RATE)
        asked = ["--num-speakers", "1", "--embeddings", "--format", "jsonl"]
        for line in run([binary, "diarize", *files, *named(model), *asked]).splitlines():
            result = json.loads(line)
            for speaker in result["speakers"]:
                found[int(result["recording"])] = speaker["embedding"]
    size = len(next(iter(found.values()), [0.0]))
    return np.array([found.get(index, [0.0] * size) for index in range(len(audio))])


def rates(scored: dict) -> dict[str, float | None]:
    """DER and its parts as shares of the reference's speech, and JER; none where nobody speaks."""
    speech = scored["reference_s"]
    parts = {kind: scored[f"{kind}_s"] / speech if speech else None for kind in ERRORS}
    return {"der": scored["der"] if speech else None, **parts, "jer": scored["jer"] if speech else None}


def evaluate(binary: Path, model: Path, folder: Path, hypotheses: Path) -> dict:
    """Rates overall and by recording, with how many speakers were found and how many there are."""
    scored = score(binary, model, folder, hypotheses)
    found = rttm.read_folder(hypotheses)
    recordings = []
    for entry in scored["recordings"]:
        name = entry["recording"]
        recordings.append(
            {
                "recording": name,
                "reference_s": entry["reference_s"],
                **rates(entry),
                "reference_speakers": entry["reference_speakers"],
                "found_speakers": len(rttm.speakers(found.get(name, []))),
            }
        )
    right = sum(entry["found_speakers"] == entry["reference_speakers"] for entry in recordings)
    return {
        "reference_s": scored["overall"]["reference_s"],
        "overall": rates(scored["overall"]),
        "count_right": right,
        "count_of": len(recordings),
        "recordings": recordings,
    }
