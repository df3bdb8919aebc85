"""Recordings made for tests and demonstrations: their RTTM says where sound is."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from published import make_librispeech
from voiceflow_models.data.corpora.reference import read_rttm
from voiceflow_models.layout import FRAME_STEP, SAMPLE_RATE

PROGRAM = Path(__file__).parents[1] / "generate_test_audio.py"
PATHS = {"PYTHONPATH": f"{PROGRAM.parent}:{PROGRAM.parents[1] / 'public'}"}


def generate(*options: object) -> subprocess.CompletedProcess:
    """Runs the program."""
    command = [sys.executable, PROGRAM, *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, env=PATHS)


def labelled(path: Path) -> tuple[np.ndarray, np.ndarray, set[str]]:
    """Peak and label of every frame of a recording, and who talks."""
    audio, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    level = np.abs(audio[: len(audio) // FRAME_STEP * FRAME_STEP].reshape(-1, FRAME_STEP)).max(axis=1)
    turns = read_rttm(path.with_suffix(".rttm"), path.stem)
    talking = np.zeros(len(level), bool)
    for turn in turns:
        talking[round(turn.start / 0.04) : round(turn.end / 0.04)] = True
    return level, talking, {turn.speaker for turn in turns}


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_rttm_marks_the_sound_of_made_up_voices(tmp_path, suffix):
    path = tmp_path / f"three.{suffix}"
    assert generate("--synthetic", "--speakers", 3, "--seconds", 40, "--out", path).returncode == 0
    level, talking, speakers = labelled(path)
    assert speakers == {"voice-1", "voice-2", "voice-3"} and len(level) == 1000
    assert level[~talking].max() == 0
    assert (level[talking] > 0.005).mean() > 0.95
    assert 0.5 < talking.mean() < 0.95


def test_a_seed_fixes_the_recording(tmp_path):
    paths = [tmp_path / name for name in ("a.wav", "b.wav", "c.wav")]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        generate("--synthetic", "--seconds", 5, "--seed", seed, "--out", path)
    first, again, other = (path.read_bytes() for path in paths)
    assert first == again != other


def test_noise_has_the_level_asked_for(tmp_path):
    path = tmp_path / "noisy.wav"
    generate("--synthetic", "--seconds", 20, "--noise-db", 10, "--out", path)
    audio, _ = soundfile.read(path)
    _, talking, _ = labelled(path)
    frames = audio[: len(talking) * FRAME_STEP].reshape(len(talking), FRAME_STEP)
    noise, both = np.mean(frames[~talking] ** 2), np.mean(frames[talking] ** 2)
    assert 10 * np.log10((both - noise) / noise) == pytest.approx(10, abs=0.5)


def test_conversations_of_real_voices_have_their_names(tmp_path):
    source = next(make_librispeech(tmp_path).glob("LibriSpeech/train-clean-100/19/*/*.flac"))
    utterance, _ = soundfile.read(source)
    (tmp_path / "data" / "train").mkdir(parents=True)
    (tmp_path / "data" / "noise").mkdir()
    soundfile.write(tmp_path / "data" / "noise" / "still.ogg", np.full(SAMPLE_RATE, 1e-3), SAMPLE_RATE)
    with open(tmp_path / "data" / "train" / "index.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("speaker", "file", "corpus"))
        for name in ("a", "b", "c", "d", "e"):
            soundfile.write(tmp_path / "data" / "train" / f"{name}.ogg", np.tile(utterance, 4), SAMPLE_RATE)
            rows.writerow((name, f"{name}.ogg", "test"))
    path = tmp_path / "meeting.flac"
    result = generate("--data", tmp_path / "data", "--seconds", 30, "--seed", 3, "--out", path)
    assert result.returncode == 0, result.stderr
    level, talking, speakers = labelled(path)
    assert speakers <= {"a", "b", "c", "d", "e"} and 1 <= len(speakers) <= 2
    assert np.median(level[talking]) > 2 * np.median(level[~talking])
    result = generate("--data", tmp_path / "data", "--speakers", 7, "--out", path)
    assert "expected 7 speakers with 3 s of speech, found 5" in result.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--out", "a.wav"), "one of the arguments --data --synthetic is required"),
        (("--synthetic", "--out", "a.mp3"), "--out: expected a name that ends in .wav or .flac, got a.mp3"),
        (("--synthetic", "--out", "a.wav", "--speakers", 0), "--speakers: expected 1 to 20, got 0"),
        (("--synthetic", "--out", "a.wav", "--seconds", 0), "--seconds: expected 1 to 3600, got 0"),
    ],
)
def test_bad_options_are_named(options, complaint):
    result = generate(*options)
    assert result.returncode == 2 and complaint in result.stderr
