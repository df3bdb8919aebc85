"""Accuracy of `voiceflow stream` by latency, beside that of `voiceflow diarize`, as a Markdown
table.

    .venv/bin/python scripts/measure_streaming.py FOLDER of recordings with .rttm ... [--latency 0.5 1 5]

The final segments that were reported live are scored. Run by `make measure-streaming`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import PROGRAM, row_of


def score(references: Path, found: Path) -> dict:
    """The overall figures of what was found."""
    command = [PROGRAM, "score", references, found, "--format", "json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["overall"]


def cells(figures: dict, offline: float) -> list[str]:
    """DER, its parts, and what it is more than offline."""
    kinds = ("missed_s", "false_alarm_s", "confusion_s")
    parts = [f"{100 * figures[kind] / figures['reference_s']:.1f}" for kind in kinds]
    return [f"{100 * figures['der']:.1f}", *parts, f"{100 * (figures['der'] - offline):+.1f}"]


def measure(folder: Path, latencies: list[float], models: list[str]) -> None:
    """The table of one folder."""
    recordings = sorted(folder.glob("*.flac"))
    with tempfile.TemporaryDirectory() as scratch:
        references = Path(scratch) / "references"
        references.mkdir()
        for path in folder.glob("*.rttm"):
            (references / path.name).write_bytes(path.read_bytes())
        whole = Path(scratch) / "whole"
        command = [PROGRAM, "diarize", *models, *recordings, "--format", "rttm", "--output", whole]
        subprocess.run(command, check=True)
        offline = score(references, whole)
        print(f"\n`{folder.name}`: collar 0, overlap scored, speaker count unknown\n")
        print(row_of(["", "DER %", "missed %", "false alarm %", "confusion %", "over offline"]))
        print(row_of(["---", *["---:"] * 5]))
        print(row_of(["offline", *cells(offline, offline["der"])]))
        for latency in latencies:
            live, answers = Path(scratch) / f"live-{latency}", Path(scratch) / f"answers-{latency}"
            live.mkdir()
            answers.mkdir()
            for path in recordings:
                command = [PROGRAM, "stream", *models, path, "--latency", str(latency), "--format", "rttm"]
                command += ["--result", answers / f"{path.stem}.rttm"]
                with (live / f"{path.stem}.rttm").open("w") as out:
                    subprocess.run(command, check=True, stdout=out)
            print(row_of([f"{latency:g} s", *cells(score(references, live), offline["der"])]))
        print(row_of(["at the end", *cells(score(references, answers), offline["der"])]))


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--latency", type=float, nargs="+", default=[0.5, 1, 5])
    parser.add_argument("--models", default="fast-cnn", help="as for `voiceflow diarize`")
    options = parser.parse_args()
    for folder in options.folders:
        if not folder.is_dir():
            sys.exit(f"{folder}: no such folder; give one of recordings with their .rttm")
        measure(folder, options.latency, ["--models", options.models])


if __name__ == "__main__":
    main()
