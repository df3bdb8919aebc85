"""Makes the folder of training windows: simulated conversations, and recorded ones where corpora
are given.

Run as a program: ``python -m voiceflow_models.data.windows --data DIR --out DIR --teacher FILE``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..layout import MAX_SPEAKERS, WINDOW_FRAMES, WINDOW_S, WINDOW_SAMPLES
from ..teachers.segmentation import SegmentationTeacher
from . import recorded, rooms
from .corpora import ami, librispeech, voxconverse
from .corpora.recording import Recording
from .corpora.voices import solo_speakers
from .noise import NoiseBank
from .shards import SHARD_WINDOWS, label, name_voices, write_shard, write_voices
from .simulate import FAINT, Simulator, Voice, cut_speech, make_voices
from .sources import Speaker, load_speakers, split
from .timings import Meeting, load_meetings, plan_stretch, split_meetings

ROOMS = 160
SPEAKER_WEIGHTS = (0.05, 0.15, 0.35, 0.45)
"""How often a window has 0, 1, 2, 3 speakers present; not all of them talk."""

FAINT_EVERY = 6
"""Every sixth shard is of rooms in which hardly anybody speaks, labelled without the teacher: it
detects a turn in what is far when nothing nearer is in the window."""

REAL_EVERY = 2
"""With ``--real-turns``, every other shard is by the turns of real meetings."""

FAINT_WEIGHTS = (0.4, 0.35, 0.2, 0.05)
"""As above, in those rooms."""


def make_shard(
    simulator: Simulator,
    teacher: SegmentationTeacher | None,
    seed: int,
    count: int = SHARD_WINDOWS,
    weights: Sequence[float] = SPEAKER_WEIGHTS,
    meetings: Sequence[Meeting] = (),
) -> dict[str, np.ndarray]:
    """The arrays of a shard of ``count`` conversations; ``weights`` are those of 0, 1, 2, 3
    speakers.

    With ``meetings`` the turns are stretches of theirs, which say how many speakers there are.
    """
    random = np.random.default_rng(seed)
    audio = np.zeros((count, WINDOW_SAMPLES), np.int16)
    activity = np.zeros((count, WINDOW_FRAMES, MAX_SPEAKERS), bool)
    voices = np.full((count, MAX_SPEAKERS), -1, np.int16)
    for row in range(count):
        if meetings:
            meeting = meetings[random.integers(len(meetings))]
            places, speakers = plan_stretch(random, meeting, WINDOW_S, MAX_SPEAKERS)
            talk = simulator.performance(random, WINDOW_S, speakers, places, cut_speech)
        else:
            speakers = int(random.choice(len(weights), p=weights))
            talk = simulator.conversation(random, WINDOW_S, speakers)
        audio[row] = (talk.audio * 32767).astype(np.int16)
        activity[row, :, :speakers] = talk.activity
        voices[row, :speakers] = [voice.label for voice in talk.voices]
    return label(audio, activity, voices, teacher)


def read_arguments() -> argparse.Namespace:
    """The options of the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and noise/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--teacher", type=Path, help="segmentation-3.0 ONNX; without it labels are exact only"
    )
    parser.add_argument("--voices", type=Path, help="GE2E encoder ONNX, which describes every voice")
    parser.add_argument("--windows", type=int, default=100_000, help="simulated windows; 0 for none")
    parser.add_argument("--seed", type=int, default=1000, help="of the first shard; the others count on")
    parser.add_argument("--part", default="0/1", help="which of how many processes, e.g. 0/2")
    parser.add_argument(
        "--real-turns",
        action="store_true",
        help="every other simulated shard by the turns of real meetings (turns/ of --data)",
    )
    parser.add_argument(
        "--librispeech", type=Path, help="LibriSpeech: more voices; train/ may be absent then"
    )
    parser.add_argument("--ami", type=Path, help="AMI, its train meetings: recorded windows")
    parser.add_argument("--voxconverse", type=Path, help="VoxConverse, its dev part: recorded windows")
    parser.add_argument(
        "--hop", type=float, default=float(WINDOW_S), help="seconds from one recorded window to the next"
    )
    parser.add_argument(
        "--recorded", type=int, help="this many recorded windows at random places instead of every --hop"
    )
    options = parser.parse_args()
    if options.hop <= 0:
        parser.error(f"--hop: expected more than 0 seconds, got {options.hop}")
    if options.recorded is not None and not (options.ami or options.voxconverse):
        parser.error("--recorded: expected --ami or --voxconverse with it")
    if options.recorded is not None and options.recorded < 1:
        parser.error(f"--recorded: expected 1 or more, got {options.recorded}")
    return options


def training_speakers(options: argparse.Namespace) -> list[Speaker]:
    """Whom conversations are simulated with: ``train/`` but the held out, then other LibriSpeech
    readers."""
    cache = options.out / "sources"
    dispensable = options.librispeech is not None or options.windows == 0
    if dispensable and not (options.data / "train").is_dir():
        known = []
    else:
        known = load_speakers(options.data, cache)
    speakers, _ = split(known)
    if options.librispeech is not None:
        # A reader of train/ stays what it is there, above all when held out.
        names = {speaker.name for speaker in known}
        readers = librispeech.load(options.librispeech, cache / "librispeech")
        speakers += [reader for reader in readers if reader.name not in names]
    return speakers


def recorded_shards(
    options: argparse.Namespace,
    recordings: list[Recording],
    voices: list[Voice],
    teacher: SegmentationTeacher | None,
) -> dict[str, Callable[[], dict[str, np.ndarray]]]:
    """What makes each shard of recorded windows, by the shard's name."""
    if not recordings:
        return {}
    random = np.random.default_rng(options.seed)
    if options.recorded is None:
        cuts = recorded.cut_every(recordings, options.hop)
    else:
        cuts = recorded.cut_anywhere(random, recordings, options.recorded)
    # In any order, so that every shard has something of all recordings.
    shards = np.array_split(random.permutation(len(cuts)), -(-len(cuts) // SHARD_WINDOWS))
    labels = {voice.speaker.name: voice.label for voice in voices}
    return {
        f"recorded-{index:05}": partial(recorded.make_shard, [cuts[row] for row in rows], labels, teacher)
        for index, rows in enumerate(shards)
    }


def main() -> None:
    """Makes the recorded shards, then simulated ones until ``--windows`` are there."""
    options = read_arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, options.part.split("/"))
    recordings = ami.load(options.ami) if options.ami else []
    recordings += voxconverse.load(options.voxconverse) if options.voxconverse else []
    simulated = make_voices(training_speakers(options))
    solo = solo_speakers(recordings, options.out / "sources" / "recorded")
    recorded = [Voice(speaker, 1.0, len(simulated) + index) for index, speaker in enumerate(solo)]
    if part == 0:
        write_voices(options.out, simulated + recorded, options.voices)
    else:
        name_voices(options.out, simulated + recorded)
    teacher = SegmentationTeacher(options.teacher) if options.teacher else None
    jobs = recorded_shards(options, recordings, recorded, teacher)
    if options.windows:
        bank = rooms.make_bank(ROOMS, MAX_SPEAKERS, seed=1)
        noise = NoiseBank(options.data)
        meetings = split_meetings(load_meetings(options.data / "turns"))[0] if options.real_turns else ()
        usual = Simulator(simulated, bank, noise)
        faint = partial(make_shard, Simulator(simulated, bank, noise, FAINT), None, weights=FAINT_WEIGHTS)
        for index in range(-(-options.windows // SHARD_WINDOWS)):
            turns = meetings if index % REAL_EVERY == 0 else ()
            ordinary = partial(make_shard, usual, teacher, meetings=turns)
            make = faint if index % FAINT_EVERY == FAINT_EVERY - 1 else ordinary
            jobs[f"{index:05}"] = partial(make, seed=options.seed + index)
    for name in tqdm(list(jobs)[part::parts], unit="shard"):
        if not (options.out / f"shard-{name}").exists():
            write_shard(options.out, name, jobs[name]())


if __name__ == "__main__":
    main()
