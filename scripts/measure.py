"""Accuracy, speed and memory of `voiceflow diarize`, as Markdown tables.

    .venv/bin/python scripts/measure.py [FOLDER of recordings with .rttm] [--models public]

Each recording is one run of the command line, start and loading of the model included. The long
recording is the shipped conversation over and over. Run by `make measure`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import soundfile

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "target" / "release" / "voiceflow"
CONVERSATION = ROOT / "examples" / "data" / "conversation.flac"


def run(arguments: list, threads: int) -> tuple[float, float]:
    """Seconds and peak resident memory in MB of one run."""
    command = [PROGRAM, "diarize", *arguments, "--threads", str(threads), "--format", "rttm"]
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begun
    if status != 0:
        sys.exit(f"{command}: ended with status {status}")
    return seconds, usage.ru_maxrss / 1024


def row_of(cells: list[str]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def diarized(recordings: list[Path], options: list, out: Path) -> None:
    """RTTM of each recording in a folder."""
    subprocess.run(
        [PROGRAM, "diarize", *options, *recordings, "--format", "rttm", "--output", out], check=True
    )


def scored(references: Path, hypotheses: Path) -> dict:
    """What `voiceflow score` says of a folder."""
    command = [PROGRAM, "score", references, hypotheses, "--format", "json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def speakers(path: Path) -> int:
    """How many speakers an RTTM file has."""
    lines = (line.split() for line in path.read_text().splitlines())
    return len({fields[7] for fields in lines if fields and fields[0] == "SPEAKER"})


def accuracy(folder: Path, models: list[str], repeats: int) -> None:
    """The table of DER and speed for every recording of the folder."""
    recordings = sorted(folder.glob("*.flac"))
    true = {path.stem: speakers(path.with_suffix(".rttm")) for path in recordings}
    with tempfile.TemporaryDirectory() as scratch:
        unknown, told, references = (Path(scratch) / name for name in ("unknown", "told", "references"))
        references.mkdir()
        for path in recordings:
            (references / f"{path.stem}.rttm").write_bytes(path.with_suffix(".rttm").read_bytes())
        diarized(recordings, models, unknown)
        for count in sorted(set(true.values())):
            alike = [path for path in recordings if true[path.stem] == count]
            diarized(alike, [*models, "--num-speakers", str(count)], told)
        score, told_score = scored(references, unknown), scored(references, told)
        found = {path.stem: speakers(unknown / f"{path.stem}.rttm") for path in recordings}
    right = sum(found[name] == true[name] for name in true)
    speed = {}
    for _ in range(repeats):
        for path in recordings:
            speed.setdefault(path.stem, []).append(run([*models, path], threads=1))
    print(
        f"\n`{folder.name}`: collar 0, overlap scored; one thread, {repeats} runs; told: with the number of"
    )
    print(f"speakers given. It was found in {right} of {len(true)} recordings.\n")
    heads = (
        "recording,length s,speakers found / true,DER %,missed %,false alarm %,confusion %,JER %,DER told %"
    )
    heads += ",RTF median,RTF max,peak MB"
    print(row_of(heads.split(",")))
    print(row_of(["---"] * 12))
    rows = zip(
        [*score["recordings"], {**score["overall"], "recording": "all"}],
        [*told_score["recordings"], told_score["overall"]],
        strict=True,
    )
    for row, told_row in rows:
        name, reference = row["recording"], row["reference_s"]
        kinds = ("missed_s", "false_alarm_s", "confusion_s")
        parts = [f"{100 * row[kind] / reference:.1f}" for kind in kinds]
        tail, count = ["", "", ""], ""
        if name in true:
            length = soundfile.info(folder / f"{name}.flac").duration
            count = f"{found[name]} / {true[name]}"
        else:
            length = sum(soundfile.info(path).duration for path in recordings)
        if name in speed:
            factors = [seconds / length for seconds, _ in speed[name]]
            memory = max(peak for _, peak in speed[name])
            tail = [f"{statistics.median(factors):.4f}", f"{max(factors):.4f}", f"{memory:.0f}"]
        rates = [f"{100 * row['der']:.1f}", *parts, f"{100 * row['jer']:.1f}", f"{100 * told_row['der']:.1f}"]
        print(row_of([name, f"{length:.1f}", count, *rates, *tail]))


def long_recording(models: list[str], hours: float) -> None:
    """The table of speed and memory on hours of audio, by threads."""
    audio, rate = soundfile.read(CONVERSATION, dtype="int16")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "long.wav"
        with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
            for _ in range(int(hours * 3600 * rate) // len(audio) + 1):
                file.write(audio)
        length = soundfile.info(path).duration
        print(f"\n{length / 3600:.2f} h WAV, 16 kHz mono\n")
        print(row_of(["threads", "seconds", "RTF", "times real time", "peak MB"]))
        print(row_of(["---"] * 5))
        for threads in (1, 2):
            seconds, memory = run([*models, path], threads)
            speed = [f"{seconds:.1f}", f"{seconds / length:.5f}", f"{length / seconds:.0f}", f"{memory:.0f}"]
            print(row_of([str(threads), *speed]))


def main() -> None:
    """Prints all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = Path(os.environ.get("VOICEFLOW_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("folder", type=Path, nargs="?", default=data / "eval" / "tune")
    parser.add_argument("--repeats", type=int, default=5, help="runs for speed; 0 for accuracy alone")
    parser.add_argument("--models", default="fast-cnn", help="as for `voiceflow diarize`")
    parser.add_argument("--hours", type=float, default=3, help="length of the long recording; 0 for none")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.exit(f"{options.folder}: no such folder; give one of recordings with their .rttm")
    models = ["--models", options.models]
    accuracy(options.folder, models, options.repeats)
    if options.hours > 0:
        long_recording(models, options.hours)


if __name__ == "__main__":
    main()
