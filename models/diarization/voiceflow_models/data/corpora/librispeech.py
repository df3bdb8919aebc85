"""LibriSpeech (Panayotov et al., ICASSP 2015; CC BY 4.0): read English, one reader at a time.

The folder is ``LibriSpeech/`` as its archives unpack, or the one that holds it::

    LibriSpeech/SPEAKERS.TXT
    LibriSpeech/<subset>/<reader>/<chapter>/<reader>-<chapter>-<utterance>.flac
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ...layout import SAMPLE_RATE
from ..sources import Speaker, keep
from . import audio

GAP_S = 0.3
"""Silence between two utterances: longer than what :func:`speech_frames` takes for a pause within
speech."""

READER_S = 300.0
"""Speech taken of one reader: five minutes, 10 MB of memory. The voices are what trains, not the
words."""


@dataclass(frozen=True)
class Reader:
    """A reader with the files of all utterances."""

    number: int
    subset: str
    utterances: list[Path]


def readers(root: Path, subsets: Sequence[str] | None = None) -> list[Reader]:
    """The readers of ``subsets``; without subsets, of all that are for training (``train-*``)."""
    corpus = root if (root / "SPEAKERS.TXT").is_file() else root / "LibriSpeech"
    known = _known(corpus / "SPEAKERS.TXT")
    if subsets is None:
        subsets = sorted(path.name for path in corpus.glob("train-*") if path.is_dir())
        if not subsets:
            raise FileNotFoundError(
                f"{corpus}: no folder train-*; expected train-clean-100 or another subset"
            )
    found = []
    for subset in subsets:
        if not (corpus / subset).is_dir():
            raise FileNotFoundError(f"{corpus / subset}: no such subset")
        folders = sorted(path for path in (corpus / subset).iterdir() if path.is_dir())
        found += [_reader(folder, subset, known) for folder in folders]
    return sorted(found, key=lambda reader: reader.number)


def load(root: Path, cache: Path, subsets: Sequence[str] | None = None) -> list[Speaker]:
    """The readers as speakers ``ls-<number>`` with labels, from ``cache`` where an earlier run left
    them.

    Who has less than 3 s of speech is left out.
    """
    found = readers(root, subsets)
    kept = (keep(cache, f"ls-{one.number}", "librispeech", partial(_speech, one)) for one in found)
    return [speaker for speaker in kept if speaker is not None]


def _speech(reader: Reader) -> np.ndarray:
    """Up to READER_S of a reader, utterances in an order of their own so that all chapters
    occur."""
    gap = np.zeros(int(GAP_S * SAMPLE_RATE), np.float32)
    pieces: list[np.ndarray] = []
    for index in np.random.default_rng(reader.number).permutation(len(reader.utterances)):
        pieces += [audio.read(reader.utterances[index]), gap]
        if sum(map(len, pieces)) >= READER_S * SAMPLE_RATE:
            break
    return np.concatenate(pieces)[: int(READER_S * SAMPLE_RATE)]


def _reader(folder: Path, subset: str, known: set[int]) -> Reader:
    if not folder.name.isdigit() or int(folder.name) not in known:
        raise ValueError(f"{folder}: expected the number of a reader in SPEAKERS.TXT, got {folder.name!r}")
    utterances = sorted(folder.glob("*/*.flac"))
    if not utterances:
        raise FileNotFoundError(f"{folder}: no <chapter>/*.flac")
    return Reader(int(folder.name), subset, utterances)


def _known(path: Path) -> set[int]:
    """The numbers of all readers that SPEAKERS.TXT lists."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected the folder of LibriSpeech")
    numbers = set()
    for count, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith(";") or not line.strip():
            continue
        # Names may hold a bar too ("|CBW|Simon").
        fields = [field.strip() for field in line.split("|", 4)]
        if len(fields) != 5 or not fields[0].isdigit():
            raise ValueError(f"{path}:{count}: expected ID | SEX | SUBSET | MINUTES | NAME, got {line!r}")
        numbers.add(int(fields[0]))
    return numbers
