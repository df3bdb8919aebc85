"""From a model folder to a channel:
``publish.py FOLDER [--recordings DIR ...] [--channel stable]``.

Checks the model against its contract, measures it on the recordings, and writes the figures into
validation_report.json of the folder; then ``voiceflow-models`` checks the gates, publishes the
folder as the version that its metadata.json says, and moves the channel to it. The first step that
fails ends this with status 1, and the channel is as it was. Without recordings, the figures that
the report has of these files count. Registry and keys are those of the variables that
``voiceflow-models`` reads: VOICEFLOW_REGISTRY, VOICEFLOW_TRUSTED_KEYS, VOICEFLOW_SIGNING_KEY.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

from validate_contract import classes
from voiceflow_models.evaluation import diarization, report

PUBLISHER = diarization.BINARY.with_name("voiceflow-models")


def check(model: Path) -> None:
    """Ends with what is wrong with a joint model, if anything is."""
    for name, checks in classes(model, None):
        broken = [str(check) for check in checks if check.breach is not None]
        if broken:
            raise SystemExit(f"{model}: breaks the model contract, {name}: {'; '.join(broken)}")
    print(f"{model}: keeps the model contract")


def measure(models: Path, path: Path, recordings: list[Path], voiceflow: Path) -> None:
    """Measures the models, and puts the figures into the report at ``path`` beside those of other
    recordings."""
    measured = report.facts(models)
    found = {}
    with tempfile.TemporaryDirectory() as hypotheses:
        for place in recordings:
            name = place.resolve().name
            found[name] = diarization.evaluate(voiceflow, models, place, Path(hypotheses) / name)
            print(report.diarization_table(name, found[name]))
    kept = json.loads(path.read_text()).get("evaluation", {}) if path.exists() else {}
    if kept.get("model") != measured:
        # Figures of other files are none of these.
        kept = {}
    evaluation = {
        **kept,
        "format": report.FORMAT,
        "version": report.VERSION,
        "model": measured,
        "machine": report.machine_facts(),
        "diarization": {**kept.get("diarization", {}), **found},
    }
    report.keep(evaluation, path)


def main() -> None:
    """Checks, measures, publishes, promotes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a bundle: models, golden vectors, metadata.json")
    parser.add_argument("--recordings", type=Path, nargs="+", default=[], help="folders with references")
    parser.add_argument("--channel", default="stable")
    parser.add_argument("--gates", type=Path, help="in place of models/gates.toml")
    parser.add_argument(
        "--voiceflow", type=Path, default=diarization.BINARY, help="the command line that diarizes"
    )
    parser.add_argument("--publisher", type=Path, default=PUBLISHER, help="voiceflow-models")
    options = parser.parse_args()
    names = [folder.resolve().name for folder in options.recordings]
    if len(set(names)) < len(names):
        raise SystemExit(f"--recordings: expected folders of different names, got {', '.join(names)}")
    path = options.folder / report.METADATA
    if not path.is_file():
        raise SystemExit(f"{path}: not there; expected a bundle with the name and version of its models")
    metadata = json.loads(path.read_text())
    models = report.resolve(options.folder)
    # A pair is checked as it is published.
    if models.is_file():
        check(models)
    if options.recordings:
        measure(models, options.folder / report.REPORT, options.recordings, options.voiceflow)
    gates = ["--gates", options.gates] if options.gates else []
    reference = f"{metadata['name']}@{metadata['version']}"
    for command in (
        ["publish", options.folder, "--channel", options.channel, *gates],
        ["promote", reference, options.channel],
    ):
        if subprocess.run([options.publisher, *command]).returncode:
            raise SystemExit(f"{reference}: not in the channel {options.channel}")


if __name__ == "__main__":
    main()
