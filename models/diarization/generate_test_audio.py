"""Writes a labelled recording for tests and demonstrations: sound, and RTTM of the same name beside
it.

    generate_test_audio.py --synthetic --speakers 3 --seconds 30 --out three.wav
    generate_test_audio.py --data DATA --speakers 4 --seconds 120 --seed 7 --noise-db 20 --out meeting.flac

--data simulates a conversation of real voices in a room (DATA has train/ and noise/, see
README.md).
--synthetic needs no data: buzzing voices of different pitch and timbre, with silence between turns
and some overlap. The same options give the same recording.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from voiceflow_models.data import rooms, synthetic
from voiceflow_models.data.meetings import rttm
from voiceflow_models.data.noise import NoiseBank
from voiceflow_models.data.simulate import ORDINARY, Conversation, Simulator, Voice
from voiceflow_models.data.sources import (
    LEAST_SPEECH_FRAMES,
    Speaker,
    list_speakers,
    read_source,
    speech_frames,
)
from voiceflow_models.layout import FRAME_STEP, SAMPLE_RATE

ROOMS = 4
CONDITIONS = replace(ORDINARY, babble=0.0)
"""Nobody talks in the distance: all audible speech is labelled."""


def draw_speakers(random: np.random.Generator, data: Path, count: int) -> list[Speaker]:
    """``count`` speakers of ``data/train`` with enough speech."""
    rows, found = list_speakers(data), []
    for index in random.permutation(len(rows)):
        filename, name, corpus = rows[index]
        audio = read_source(data / "train" / filename)
        speech = speech_frames(audio)
        if speech.sum() >= LEAST_SPEECH_FRAMES:
            found.append(Speaker(name, corpus, (audio * 32767).astype(np.int16), speech))
        if len(found) == count:
            return found
    raise SystemExit(f"{data / 'train'}: expected {count} speakers with 3 s of speech, found {len(found)}")


def simulate(random: np.random.Generator, data: Path, seconds: float, speakers: int) -> Conversation:
    """A conversation of real voices."""
    drawn = draw_speakers(random, data, speakers)
    voices = [Voice(speaker, 1.0, index) for index, speaker in enumerate(drawn)]
    bank = rooms.make_bank(ROOMS, speakers, int(random.integers(1 << 31)))
    return Simulator(voices, bank, NoiseBank(data), CONDITIONS).conversation(random, seconds, speakers)


def add_noise(random: np.random.Generator, talk: Conversation, below_db: float) -> np.ndarray:
    """The audio with white noise ``below_db`` under the level of speech, [-1, 1]."""
    talking = talk.activity.any(axis=1).repeat(FRAME_STEP)
    speech = talk.audio[: len(talking)][talking]
    if len(speech) == 0:
        raise SystemExit("--noise-db: nobody talks in this recording; give another --seed or more --seconds")
    level = np.sqrt(np.mean(speech**2)) * 10 ** (-below_db / 20)
    noise = random.standard_normal(len(talk.audio)).astype(np.float32)
    return np.clip(talk.audio + np.float32(level) * noise, -1, 1)


def read_arguments() -> argparse.Namespace:
    """The options of the program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    voices = parser.add_mutually_exclusive_group(required=True)
    voices.add_argument("--data", type=Path, help="folder with train/ and noise/")
    voices.add_argument("--synthetic", action="store_true", help="made-up voices; needs no data")
    parser.add_argument("--out", type=Path, required=True, help=".wav or .flac; the .rttm goes beside it")
    parser.add_argument("--speakers", type=int, default=2, help="speakers in the conversation (default 2)")
    parser.add_argument("--seconds", type=float, default=30.0, help="length (default 30)")
    parser.add_argument(
        "--seed", type=int, default=0, help="another one gives another conversation (default 0)"
    )
    parser.add_argument("--noise-db", type=float, help="adds white noise this many dB under the speech")
    options = parser.parse_args()
    if options.out.suffix not in (".wav", ".flac"):
        parser.error(f"--out: expected a name that ends in .wav or .flac, got {options.out}")
    if not 1 <= options.speakers <= 20:
        parser.error(f"--speakers: expected 1 to 20, got {options.speakers}")
    if not 1 <= options.seconds <= 3600:
        parser.error(f"--seconds: expected 1 to 3600, got {options.seconds}")
    return options


def main() -> None:
    """Writes the two files."""
    options = read_arguments()
    random = np.random.default_rng(options.seed)
    if options.synthetic:
        talk = synthetic.conversation(random, options.seconds, options.speakers)
    else:
        talk = simulate(random, options.data, options.seconds, options.speakers)
    audio = talk.audio if options.noise_db is None else add_noise(random, talk, options.noise_db)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(options.out, audio, SAMPLE_RATE, subtype="PCM_16")
    options.out.with_suffix(".rttm").write_text(rttm(options.out.stem, talk.activity, talk.voices))


if __name__ == "__main__":
    main()
