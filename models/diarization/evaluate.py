"""Measures a model:
``evaluate.py --model FILE --recordings DIR [DIR ...] --data DATA --out REPORT``.

Speed is always measured, diarization where there are recordings, verification of held-out speakers
where there is speech. Of a pair, which ``--model`` names by the folder of its bundle, diarization
is measured alone: its networks take other inputs than a window of audio. Writes report.json, plots
and the RTTM that was found to ``--out``, and Markdown tables to standard output; ``--keep`` puts
the report into the bundle's own validation_report.json too. Recordings kept for testing are for the
last model only: never choose anything by them.
"""

import argparse
import json
from pathlib import Path

from voiceflow_models.evaluation import diarization, latency, plots, report, rttm, verification, within
from voiceflow_models.teachers.voices import VoiceTeacher

CACHE = Path(__file__).parent / "runs" / "sources"


def measure_latency(options: argparse.Namespace) -> dict:
    """Speed of the model, the reference and the variants."""
    found = latency.measure(options.model, options.segmentation, options.variants, options.rounds)
    times = {f"{timed.name}, {timed.window_s} s": timed.milliseconds for timed in found.timed}
    plots.latency(times, options.out / "latency.png")
    print(report.latency_table(found))
    return found.report()


def measure_verification(options: argparse.Namespace) -> dict:
    """Verification by the model, and by the GE2E encoder where its file is given."""
    encoders: dict[str, verification.Encoder] = {"model": verification.ModelEncoder(options.model)}
    if options.voices:
        encoders["ge2e"] = verification.levelled(VoiceTeacher(options.voices).embedding)
    found = verification.verify(encoders, options.data, options.cache, options.cuts)
    curves = {f"{name}, {where}": found[where][name].det for where in found for name in found[where]}
    plots.det(curves, options.out / "det.png")
    print(report.verification_table(found))
    return report.verification_facts(found)


def measure_diarization(options: argparse.Namespace) -> dict:
    """Diarization of every folder, by the variants too; the timeline shows the recording of median
    error."""
    results = {}
    for folder in options.recordings:
        name = folder.resolve().name
        hypotheses = options.out / "hypotheses" / name
        result = diarization.evaluate(options.voiceflow, options.model, folder, hypotheses)
        scored = [entry for entry in result["recordings"] if entry["der"] is not None]
        if scored:
            middle = sorted(scored, key=lambda entry: entry["der"])[len(scored) // 2]["recording"]
            turns = [rttm.read_folder(path).get(middle, []) for path in (folder, hypotheses)]
            plots.timeline(*turns, options.out / f"timeline-{name}.png")
        for variant in options.variants:
            found = options.out / "hypotheses" / variant.stem / name
            other = diarization.evaluate(options.voiceflow, variant, folder, found)
            result.setdefault("variants", {})[variant.name] = {
                key: other[key] for key in ("overall", "count_right", "count_of")
            }
        told = options.out / "hypotheses" / "count-told" / name
        result["count_told"] = diarization.count_told(options.voiceflow, options.model, folder, told)
        result["within"] = measure_within(options, folder)
        print(report.diarization_table(name, result))
        print(report.within_table(name, result["within"]))
        results[name] = result
    return results


def measure_within(options: argparse.Namespace, folder: Path) -> list[dict]:
    """How well voices of one recording are told apart, by the length of what is heard of each."""
    found = []
    for seconds in within.LENGTHS_S:
        cuts = within.stretches(folder, seconds)
        voices = diarization.embeddings(options.voiceflow, options.model, cuts.audio)
        rate = within.equal_error_of(voices, cuts)
        unheard = int((~voices.any(axis=1)).sum())
        found.append(
            {"seconds": seconds, "equal_error_rate": rate, "stretches": len(voices), "unheard": unheard}
        )
    return found


def refuse_for_pairs(options: argparse.Namespace) -> None:
    """Ends with what a pair cannot be measured by."""
    for name in ("data", "voices", "segmentation", "variants"):
        if getattr(options, name):
            raise SystemExit(f"--{name}: expected a joint model with it, got the pair {options.model}")
    if not options.recordings:
        raise SystemExit(f"--recordings: expected folders to measure the pair {options.model} on, got none")


def main() -> None:
    """Runs what the options allow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        help="ONNX file that keeps the model contract, or a bundle's folder",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the report")
    parser.add_argument(
        "--recordings", type=Path, nargs="+", default=[], help="folders of audio files with .rttm"
    )
    parser.add_argument(
        "--voiceflow", type=Path, default=diarization.BINARY, help="the command line that diarizes"
    )
    parser.add_argument("--data", type=Path, help="folder with train/ and noise/: verification")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where decoded sources are kept")
    parser.add_argument("--cuts", type=int, default=verification.CUTS, help="of each held-out speaker")
    parser.add_argument("--voices", type=Path, help="GE2E encoder ONNX, to compare verification with")
    parser.add_argument("--segmentation", type=Path, help="segmentation-3.0 ONNX, to compare speed with")
    parser.add_argument(
        "--variants", type=Path, nargs="+", default=[], help="other files of the model: time and DER"
    )
    parser.add_argument("--rounds", type=int, default=latency.ROUNDS, help="runs of each file that is timed")
    parser.add_argument("--curve", type=Path, help="curve.csv of the training, to plot")
    parser.add_argument("--keep", action="store_true", help="also in validation_report.json beside the model")
    options = parser.parse_args()
    names = [folder.resolve().name for folder in options.recordings]
    if len(set(names)) < len(names):
        raise SystemExit(f"--recordings: expected folders of different names, got {', '.join(names)}")
    options.model = report.resolve(options.model)
    is_pair = options.model.is_dir()
    if is_pair:
        refuse_for_pairs(options)
    options.out.mkdir(parents=True, exist_ok=True)
    found = {
        "format": report.FORMAT,
        "version": report.VERSION,
        "model": report.facts(options.model),
        "machine": report.machine_facts(),
    }
    if not is_pair:
        found["latency"] = measure_latency(options)
    if options.data:
        found["verification"] = measure_verification(options)
    if options.recordings:
        found["diarization"] = measure_diarization(options)
    if options.curve:
        plots.training(options.curve, options.out / "training.png")
    (options.out / "report.json").write_text(json.dumps(found, indent=2) + "\n")
    if options.keep:
        folder = options.model if is_pair else options.model.parent
        report.keep(found, folder / report.REPORT)


if __name__ == "__main__":
    main()
