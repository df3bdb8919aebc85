"""VoxConverse 0.3 (Chung et al., Interspeech 2020; annotations CC BY 4.0): debates and news from
the web.

One folder holds the repository joonson/voxconverse and, in it, the unpacked sound::

    dev/<name>.rttm  test/<name>.rttm
    audio/<name>.wav                  what voxconverse_dev_wav.zip unpacks to
    voxconverse_test_wav/<name>.wav   what voxconverse_test_wav.zip unpacks to

Sound may also lie in ``audio/dev`` and ``audio/test``, or ``voxconverse_dev_wav/audio`` and the
like.
"""

from __future__ import annotations

from pathlib import Path

from .recording import Recording, stretches
from .reference import read_rttm

SPLITS = ("dev", "test")


def load(root: Path, split: str = "dev") -> list[Recording]:
    """Every recording of ``split``. A speaker's name (``spk00``) means nothing in another
    recording."""
    if split not in SPLITS:
        raise ValueError(f"split: expected one of {', '.join(SPLITS)}, got {split!r}")
    references = sorted((root / split).glob("*.rttm"))
    if not references:
        raise FileNotFoundError(
            f"{root / split}: no .rttm files; expected those of joonson/voxconverse there"
        )
    _refuse_unlabelled(root, split)
    return [_recording(root, split, path) for path in references]


def _recording(root: Path, split: str, reference: Path) -> Recording:
    name = reference.stem
    turns = read_rttm(reference, name)
    places = [folder / f"{name}.wav" for folder in _folders(root, split)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"{reference}: its recording is at none of {', '.join(map(str, places))}")
    return Recording(
        name, "voxconverse", split, path, turns, stretches(path, turns, None), lasting_names=False
    )


def _folders(root: Path, split: str) -> list[Path]:
    """Where the sound of a split may lie; the first is shared by both splits."""
    unpacked = root / f"voxconverse_{split}_wav"
    return [root / "audio", root / "audio" / split, unpacked, unpacked / "audio"]


def _refuse_unlabelled(root: Path, split: str) -> None:
    labelled = {path.stem for path in (root / split).glob("*.rttm")}
    shared, *own = _folders(root, split)
    anywhere = {path.stem for other in SPLITS for path in (root / other).glob("*.rttm")}
    strays = [path for path in shared.glob("*.wav") if path.stem not in anywhere]
    strays += [path for folder in own for path in folder.glob("*.wav") if path.stem not in labelled]
    if strays:
        raise FileNotFoundError(
            f"{min(strays)}: no reference; expected {root / split / min(strays).stem}.rttm"
        )
