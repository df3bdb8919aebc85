"""Compares `voiceflow score --format json` with pyannote.metrics on random and on real annotations.

Needs the packages of requirements.txt and a built `voiceflow` (VOICEFLOW_CLI, or the newest in
target/). Real annotations are the RTTM files under eval/ in VOICEFLOW_DATA, by default shared/data
beside the repository; they are skipped, and that is said, where absent.

    python compare_metrics.py [--seed N] [--count N]
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from annotations import Scorer, cases, disturbed

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-6
OPTIONS = list(itertools.product([0.0, 0.1, 0.25, 0.5, 1.0], [False, True]))


def find_cli():
    if named := os.environ.get("VOICEFLOW_CLI"):
        return Path(named)
    built = [ROOT / "target" / profile / "voiceflow" for profile in ("debug", "release")]
    built = [path for path in built if path.exists()]
    if not built:
        sys.exit("no voiceflow in target/: build it, or set VOICEFLOW_CLI")
    return max(built, key=lambda path: path.stat().st_mtime)


def write_rttm(path, recording, turns):
    """Writes the turns and gives them back as the file holds them."""
    held = []
    with path.open("w", encoding="utf-8") as file:
        for start, end, speaker in turns:
            duration = f"{end - start:.3f}"
            file.write(f"SPEAKER {recording} 1 {start:.3f} {duration} <NA> <NA> {speaker} <NA> <NA>\n")
            held.append([float(f"{start:.3f}"), float(f"{start:.3f}") + float(duration), speaker])
    return held


def read_rttm(path):
    turns = []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        start, duration = float(fields[3]), float(fields[4])
        turns.append([start, start + duration, fields[7]])
    return turns


def compare(cli, recordings, collar, skip_overlap):
    """Scores {name: (reference, hypothesis, uem)} both ways, with a UEM for all of them or for
    none; gives the number of figures that differ."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        scorer, expected = Scorer(collar, skip_overlap), {}
        (folder / "ref").mkdir()
        (folder / "hyp").mkdir()
        uems = []
        for name, (reference, hypothesis, uem) in sorted(recordings.items()):
            reference = write_rttm(folder / "ref" / f"{name}.rttm", name, reference)
            hypothesis = write_rttm(folder / "hyp" / f"{name}.rttm", name, hypothesis)
            uems += [f"{name} 1 {start} {end}\n" for start, end in uem or []]
            expected[name] = scorer.add(reference, hypothesis, uem)
        command = [cli, "score", folder / "ref", folder / "hyp", "--format", "json", "--collar", str(collar)]
        if skip_overlap:
            command.append("--skip-overlap")
        if uems:
            (folder / "all.uem").write_text("".join(uems))
            command += ["--uem", folder / "all.uem"]
        report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    found = {item["recording"]: item for item in report["recordings"]}
    if found.keys() != expected.keys():
        print(f"recordings differ: {sorted(found.keys() ^ expected.keys())}")
        return 1
    wrong = differences("overall", scorer.overall(), report["overall"])
    return wrong + sum(differences(name, expected[name], found[name]) for name in expected)


def differences(name, expected, found):
    wrong = 0
    for key, value in expected.items():
        if abs(found[key] - value) > TOLERANCE:
            print(f"{name}: {key}: pyannote.metrics {value}, voiceflow {found[key]}")
            wrong += 1
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000, help="random recordings")
    arguments = parser.parse_args()
    cli, wrong, scored = find_cli(), 0, 0

    groups = {}
    for index, case in enumerate(cases(arguments.seed, arguments.count)):
        key = (case["collar"], case["skip_overlap"], case["uem"] is None)
        groups.setdefault(key, {})[f"random{index}"] = (case["reference"], case["hypothesis"], case["uem"])
    for (collar, skip_overlap, _), recordings in sorted(groups.items()):
        wrong += compare(cli, recordings, collar, skip_overlap)
        scored += len(recordings)

    data = Path(os.environ.get("VOICEFLOW_DATA", ROOT.parent / "shared" / "data")) / "eval"
    real = {path.stem: read_rttm(path) for path in sorted(data.rglob("*.rttm"))}
    rng = random.Random(arguments.seed)
    for (collar, skip_overlap), uem in itertools.product(OPTIONS if real else [], [None, [[2.0, 25.5]]]):
        recordings = {name: (turns, disturbed(rng, turns), uem) for name, turns in real.items()}
        wrong += compare(cli, recordings, collar, skip_overlap)
        scored += len(recordings)
    left_out = "" if real else f", {2 * len(OPTIONS)} comparisons skipped: no real annotations under {data}"
    print(f"{scored} recordings scored ({len(real)} real annotations), {wrong} figures differ{left_out}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
