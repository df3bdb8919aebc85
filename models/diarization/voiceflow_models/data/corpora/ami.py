"""AMI meetings (Carletta et al., 2005; CC BY 4.0): the mix of the headsets, with references of
words only.

One folder holds the sound as the AMI mirror serves it and, beside it or in
``AMI-diarization-setup/``, the repository BUTSpeechFIT/AMI-diarization-setup (Landini et al.,
2022)::

    amicorpus/<meeting>/audio/<meeting>.Mix-Headset.wav
    lists/<split>.meetings.txt
    only_words/rttms/<split>/<meeting>.rttm
    uems/<split>/<meeting>.uem
"""

from __future__ import annotations

from pathlib import Path

from .recording import Recording, stretches
from .reference import read_rttm, read_uem

SPLITS = ("train", "dev", "test")


def load(root: Path, split: str = "train") -> list[Recording]:
    """The meetings that the list of ``split`` names. Speakers keep their names from meeting to
    meeting."""
    if split not in SPLITS:
        raise ValueError(f"split: expected one of {', '.join(SPLITS)}, got {split!r}")
    setup = root if (root / "lists").is_dir() else root / "AMI-diarization-setup"
    meetings = setup / "lists" / f"{split}.meetings.txt"
    if not meetings.is_file():
        raise FileNotFoundError(
            f"{meetings}: no such list; expected BUTSpeechFIT/AMI-diarization-setup there"
        )
    names = meetings.read_text(encoding="utf-8").split()
    if not names:
        raise ValueError(f"{meetings}: expected names of meetings, got none")
    return [_meeting(root, setup, split, name) for name in names]


def _meeting(root: Path, setup: Path, split: str, name: str) -> Recording:
    path = root / "amicorpus" / name / "audio" / f"{name}.Mix-Headset.wav"
    turns = read_rttm(setup / "only_words" / "rttms" / split / f"{name}.rttm", name)
    uem = setup / "uems" / split / f"{name}.uem"
    parts = stretches(path, turns, read_uem(uem, name) if uem.is_file() else None)
    return Recording(name, "ami", split, path, turns, parts, lasting_names=True)
