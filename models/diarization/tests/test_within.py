"""Voices within recordings: which stretches are taken, and what an encoder's error is on them."""

from pathlib import Path

import numpy as np
import soundfile
from voiceflow_models.evaluation.rttm import Turn
from voiceflow_models.evaluation.within import equal_error, solo, stretches
from voiceflow_models.layout import SAMPLE_RATE


def test_stretches_are_of_one_talker_and_do_not_overlap():
    turns = [Turn("m", "a", 0.0, 5.0), Turn("m", "b", 2.05, 2.5), Turn("m", "b", 6.0, 7.9)]
    assert solo(turns, "a", 1.0) == [0.0, 2.6, 3.6]
    assert solo(turns, "b", 1.0) == [6.0]


def write_recordings(folder: Path) -> None:
    """Two recordings of two speakers each; the same pitches come again for others in the second
    recording."""
    for name in "pq":
        audio, lines = np.zeros(16 * SAMPLE_RATE, np.float32), []
        for turn in range(8):
            who = turn % 2
            time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
            audio[turn * 2 * SAMPLE_RATE :][: len(time)] = 0.1 * np.sin(2 * np.pi * (200 + 100 * who) * time)
            lines.append(f"SPEAKER {name} 1 {2 * turn} 1.8 <NA> <NA> {name}{who} <NA> <NA>\n")
        soundfile.write(folder / f"{name}.flac", audio, SAMPLE_RATE)
        (folder / f"{name}.rttm").write_text("".join(lines))


def pitch(audio: np.ndarray) -> np.ndarray:
    """A voice that is all pitch."""
    spectrum = np.abs(np.fft.rfft(audio))
    return np.array([spectrum[int(f * len(audio) / SAMPLE_RATE)] for f in (200, 300)])


def test_speakers_of_other_recordings_are_not_compared(tmp_path):
    write_recordings(tmp_path)
    cuts = stretches(tmp_path, 1.0)
    assert len(cuts.audio) == 16 and sorted(set(cuts.speaker)) == [0, 1, 2, 3]
    # Across recordings speakers sound alike; within one they do not.
    assert equal_error(pitch, cuts) < 0.01


def test_an_encoder_blind_to_voices_is_at_chance(tmp_path):
    write_recordings(tmp_path)
    random = np.random.default_rng(0)
    assert 0.3 < equal_error(lambda audio: random.standard_normal(64), stretches(tmp_path, 1.0)) < 0.7


def test_one_speaker_has_nobody_to_be_told_apart_from(tmp_path):
    write_recordings(tmp_path)
    for path in tmp_path.glob("*.rttm"):
        path.write_text("".join(path.read_text().splitlines(keepends=True)[::2]))
    cuts = stretches(tmp_path, 1.0)
    assert len(cuts.audio) == 8 and equal_error(pitch, cuts) is None
    assert equal_error(pitch, stretches(tmp_path, 5.0)) is None
