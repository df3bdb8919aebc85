"""Known voices: ``python -m voiceflow_models.evaluation.identification --data DATA``.

Enrolls held-out speakers and identifies others of their cuts by the ``voiceflow`` command line,
once with everybody enrolled and once with everybody but the one who speaks, who is a stranger then.
In the second condition each recording, the enrolled ones too, has a room, noise and recorder of its
own.

Few speakers are held out, and most have seconds of speech: those are enrolled by half of it. Every
speaker counts alike. All of a speaker's speech comes from one corpus, much of it from one reading.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ..data import rooms
from ..data.noise import NoiseBank
from ..data.simulate import ORDINARY, Simulator, Voice, speech_from
from ..data.sources import VAD_STEP, Speaker, load_speakers, split
from ..layout import FRAME_STEP, MAX_SPEAKERS, SAMPLE_RATE
from .diarization import BINARY, run

CACHE = Path(__file__).parents[2] / "runs" / "sources"

ENROLL_S = 20
"""Speech that a speaker is enrolled with, pauses included, or half of what there is."""

CUT_S = 10
LEAST_CUT_S = 3
"""Cuts that are identified last from this to ``CUT_S``."""

LEAST_S = 8
"""Who has less is left out."""

TAKES = 4
"""Rooms in which each cut is recorded."""

ROOMS = 40
SEED = 20
CONDITIONS = ("clean", "rooms")
THRESHOLDS = np.arange(12, 23) / 32
"""Exact in binary, as a default has to be that C compilers take without a warning."""


@dataclass
class Program:
    """The command line that is measured, and the bundle that it runs."""

    binary: Path
    models: str


@dataclass
class Trial:
    """What a cut was taken for."""

    speaker: str
    """Who speaks."""
    name: str | None
    """The most similar of the enrolled speakers, none where no speech is detected."""
    score: float
    """Its similarity."""


@dataclass
class Rates:
    """Shares at one threshold, every speaker alike."""

    right: float
    """Of cuts of enrolled speakers: given their names."""
    wrong: float
    """Of the same: given another's name."""
    accepted: float
    """Of cuts of strangers: given anybody's name."""


def pieces(speaker: Speaker) -> list[tuple[int, int]]:
    """Start and end in samples: what is enrolled, then the cuts that are identified."""
    total = len(speaker.audio)
    enrolled = min(ENROLL_S * SAMPLE_RATE, total // 2)
    cut = CUT_S * SAMPLE_RATE
    cuts = [(start, min(start + cut, total)) for start in range(enrolled, total, cut)]
    return [(0, enrolled), *(piece for piece in cuts if piece[1] - piece[0] >= LEAST_CUT_S * SAMPLE_RATE)]


def sound(speaker: Speaker, piece: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A piece [samples], [-1, 1], and whether somebody talks in each output frame [frames, 1]."""
    start, length = piece[0] // VAD_STEP, (piece[1] - piece[0]) // FRAME_STEP * FRAME_STEP
    audio, speech = speech_from(Voice(speaker, 1.0, 0), start, length)
    audio = np.clip(audio[:length], -1, 1)
    middle = np.arange(FRAME_STEP // 2, length, FRAME_STEP) // VAD_STEP
    return audio, speech[middle, None]


def write_pieces(folder: Path, speakers: list[Speaker], simulator: Simulator | None) -> None:
    """Writes ``<speaker>/enroll.wav`` and the cuts beside it; in rooms where there is a
    simulator."""
    random = np.random.default_rng(SEED)
    for speaker in speakers:
        (folder / speaker.name).mkdir(parents=True)
        for number, piece in enumerate(pieces(speaker)):
            audio, talking = sound(speaker, piece)
            for take in range(TAKES if simulator and number else 1):
                recorded = simulator.recording(random, audio[None], talking) if simulator else audio
                name = f"cut-{number:03}-{take}" if number else "enroll"
                soundfile.write(folder / speaker.name / f"{name}.wav", recorded, SAMPLE_RATE)


def enroll(program: Program, gallery: Path, folder: Path) -> bool:
    """Whether the speaker of ``folder`` could be enrolled."""
    command = [
        program.binary,
        "enroll",
        "--models",
        program.models,
        "--gallery",
        gallery,
        folder.name,
        folder / "enroll.wav",
    ]
    return subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0


def identify(program: Program, gallery: Path, folder: Path) -> list[Trial]:
    """Whom the one who talks most in each cut of ``folder`` is most similar to."""
    files = sorted(folder.glob("cut-*.wav"))
    options = ["--models", program.models, "--gallery", gallery, "--threshold=-1", "--format", "json"]
    printed = run([program.binary, "identify", *options, *files])
    trials = []
    for line in printed.splitlines():
        speakers = json.loads(line)["speakers"]
        if not speakers:
            trials.append(Trial(folder.name, None, -1.0))
            continue
        most = max(speakers, key=lambda speaker: speaker["speech_s"])
        trials.append(Trial(folder.name, most["name"], most["score"]))
    return trials


def share(trials: list[Trial], counts: list[bool]) -> float:
    """Share of trials that count, the mean over speakers."""
    of_speaker: dict[str, list[bool]] = {}
    for trial, count in zip(trials, counts, strict=True):
        of_speaker.setdefault(trial.speaker, []).append(count)
    return float(np.mean([np.mean(own) for own in of_speaker.values()]))


def rates(known: list[Trial], strangers: list[Trial], threshold: float) -> Rates:
    """The shares at a threshold."""

    def named(trial: Trial) -> bool:
        return trial.name is not None and trial.score >= threshold

    return Rates(
        share(known, [named(trial) and trial.name == trial.speaker for trial in known]),
        share(known, [named(trial) and trial.name != trial.speaker for trial in known]),
        share(strangers, [named(trial) for trial in strangers]),
    )


def measure(program: Program, folder: Path) -> tuple[list[Trial], list[Trial], list[str]]:
    """Trials of known speakers and of strangers, and who could not be enrolled."""
    gallery, without = folder / "gallery.json", folder / "without.json"
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    enrolled = [speaker for speaker in folders if enroll(program, gallery, speaker)]
    if len(enrolled) < 2:
        raise SystemExit(f"expected at least 2 speakers who can be enrolled, found {len(enrolled)}")
    known: list[Trial] = []
    strangers: list[Trial] = []
    for speaker in enrolled:
        known += identify(program, gallery, speaker)
        shutil.copy(gallery, without)
        run([program.binary, "enroll", "--gallery", without, "--remove", speaker.name])
        strangers += identify(program, without, speaker)
    return known, strangers, [speaker.name for speaker in folders if speaker not in enrolled]


def table(known: list[Trial], strangers: list[Trial]) -> str:
    """Rates by threshold, in Markdown."""
    lines = ["| threshold | right % | wrong name % | strangers accepted % |", "| ---: | ---: | ---: | ---: |"]
    for threshold in THRESHOLDS:
        found = rates(known, strangers, float(threshold))
        shares = (f"{100 * value:.1f}" for value in (found.right, found.wrong, found.accepted))
        lines.append(f"| {threshold:.4f} | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Prints a table for each condition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and noise/")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where decoded sources are kept")
    parser.add_argument("--voiceflow", type=Path, default=BINARY, help="the command line that is measured")
    parser.add_argument("--models", default="fast-cnn", help="as for ``voiceflow identify``")
    options = parser.parse_args()
    program = Program(options.voiceflow, options.models)
    _, held_out = split(load_speakers(options.data, options.cache))
    speakers = [speaker for speaker in held_out if len(speaker.audio) >= LEAST_S * SAMPLE_RATE]
    voices = [Voice(speaker, 1.0, label) for label, speaker in enumerate(speakers)]
    simulator = Simulator(
        voices, rooms.make_bank(ROOMS, MAX_SPEAKERS, SEED), NoiseBank(options.data), ORDINARY
    )
    for condition, simulates in zip(CONDITIONS, (None, simulator), strict=True):
        with tempfile.TemporaryDirectory() as name:
            write_pieces(Path(name), speakers, simulates)
            known, strangers, refused = measure(program, Path(name))
        silent = sum(trial.name is None for trial in known)
        print(f"{condition}: {len(speakers)} speakers, {len(known)} cuts, {silent} without speech,")
        print(f"not enrolled: {', '.join(refused) or 'none'}\n\n{table(known, strangers)}")


if __name__ == "__main__":
    main()
