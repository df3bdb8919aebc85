"""Corpora of a few seconds in the folders that the published ones come in, with buzzes for
voices."""

from pathlib import Path

import numpy as np
import soundfile
from voiceflow_models.data.synthetic import speak, timbres

AMI_SPEAKERS = ("FEE087", "MEE006", "MEO020", "MIO005")
AMI_SECONDS = 42.0
AMI_TURNS = {
    # The second has four speakers in its first ten seconds; MIO005 says the least.
    "ES2002a": ((1.0, 9.0, 0), (12.0, 6.0, 1), (17.0, 4.0, 0), (30.0, 8.0, 2)),
    "IS1000a": ((0.0, 3.0, 0), (3.5, 3.0, 1), (5.0, 3.0, 2), (8.5, 1.0, 3), (20.0, 12.0, 2)),
}
"""Start, length and speaker of the turns of two meetings."""


def sound(turns: tuple[tuple[float, float, int], ...], seconds: float, rate: int) -> np.ndarray:
    """Everybody's buzz in the turns, digital silence elsewhere, float [samples] at ``rate``."""
    random = np.random.default_rng(1)
    audio = np.zeros(int(seconds * 16_000), np.float32)
    for start, length, speaker in turns:
        first, count = int(start * 16_000), int(length * 16_000)
        audio[first : first + count] += speak(random, timbres(4)[speaker], count)
    at = np.arange(int(seconds * rate)) * 16_000 / rate
    return np.interp(at, np.arange(len(audio)), audio).astype(np.float32)


def rttm(name: str, turns, speakers) -> str:
    """The turns as a reference file."""
    return "".join(f"SPEAKER {name} 1 {s} {d} <NA> <NA> {speakers[who]} <NA> <NA>\n" for s, d, who in turns)


def write(path: Path, content: str) -> None:
    """A text file with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def write_sound(path: Path, audio: np.ndarray, rate: int) -> None:
    """A sound file with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate)


def make_ami(root: Path) -> Path:
    """Two meetings for training; of the second only 0 to 32 s are labelled."""
    write(root / "lists" / "train.meetings.txt", "".join(f"{name}\n" for name in AMI_TURNS))
    for name, turns in AMI_TURNS.items():
        audio = sound(turns, AMI_SECONDS, 16_000)
        write_sound(root / "amicorpus" / name / "audio" / f"{name}.Mix-Headset.wav", audio, 16_000)
        write(root / "only_words" / "rttms" / "train" / f"{name}.rttm", rttm(name, turns, AMI_SPEAKERS))
    write(root / "uems" / "train" / "ES2002a.uem", f"ES2002a 1 0.000 {AMI_SECONDS + 0.01}\n")
    write(root / "uems" / "train" / "IS1000a.uem", "IS1000a 1 0.000 32.000\n")
    return root


def make_voxconverse(root: Path) -> Path:
    """One recording for development (44.1 kHz, two channels) and one for testing, each in its own
    place."""
    turns = ((0.5, 4.0, 0), (6.0, 5.0, 1))
    audio = sound(turns, 12.0, 44_100)
    both = np.stack([audio * 2, np.zeros_like(audio)], axis=1)
    write_sound(root / "audio" / "abjxc.wav", both, 44_100)
    write_sound(root / "voxconverse_test_wav" / "aepyx.wav", sound(turns, 12.0, 16_000), 16_000)
    write(root / "dev" / "abjxc.rttm", rttm("abjxc", turns, ("spk00", "spk01")))
    write(root / "test" / "aepyx.rttm", rttm("aepyx", turns, ("spk00", "spk01")))
    return root


def make_librispeech(root: Path) -> Path:
    """Three readers for training, one of them with less than 3 s of speech, and one of
    dev-clean."""
    corpus = root / "LibriSpeech"
    lines = ["; Some metadata", ";ID  |SEX| SUBSET           |MINUTES| NAME"]
    readers = (
        (19, "train-clean-100", 4),
        (60, "train-clean-100", 3),
        (26, "train-other-500", 1),
        (84, "dev-clean", 2),
    )
    for index, (number, subset, utterances) in enumerate(readers):
        name = "|CBW|Simon" if number == 60 else "Somebody"
        lines.append(f"{number:<5}| F | {subset:<16} | 25.19 | {name}")
        for count in range(utterances):
            chapter = 198 + count % 2
            path = corpus / subset / str(number) / str(chapter) / f"{number}-{chapter}-{count:04}.flac"
            write_sound(path, sound(((0.2, 1.6, index),), 2.0, 16_000), 16_000)
    write(corpus / "SPEAKERS.TXT", "\n".join(lines) + "\n")
    return root
