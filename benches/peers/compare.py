"""libvoiceflow against its peers: the same two models, the same audio, the same cores, one run, in
turns.

    python benches/peers/compare.py --segmentation SEG.onnx --embedding EMB.onnx [options]

Run by `make bench-peers`; README.md in this folder says what is compared and why that is fair.
Progress goes to standard error, the Markdown table to standard output, every single measure
to --json.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import models_speakrs
import report
from recordings import Recording, given, joined, sources

import models

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = Path(os.environ.get("VOICEFLOW_DATA", ROOT.parent / "shared" / "data")) / "eval"
CACHE = ROOT / ".cache" / "peers"
CONVERSATION = ROOT / "examples" / "data" / "conversation.flac"
CONTENDERS = ("voiceflow:hop_s=1", "sherpa-onnx", "diarization", "speakrs")
TRIAL_LIMIT_S = 600.0  # seconds within which a contender must have loaded and done the warm-up
WARM_UP_S = 170.0  # every shape and code path of the networks is met once, by every thread


class Contender:
    """One row of the table: a program, with options that are its own, as NAME[:KEY=VALUE,...]."""

    def __init__(self, text: str, options: argparse.Namespace, scratch: Path):
        self.label = text
        kind, _, rest = text.partition(":")
        own = dict(pair.split("=", 1) for pair in rest.split(",") if pair)
        threads = own.pop("threads", str(options.threads))
        segmentation, embedding = options.segmentation, options.embedding
        script = HERE / "contenders" / f"run_{kind.replace('-', '_')}.py"
        if kind == "voiceflow":
            if own.pop("model", "") == "own":
                segmentation = embedding = "-"
            files = [options.library.resolve(), segmentation, embedding, threads, json.dumps(own)]
            self.command = [sys.executable, script, *files]
        elif kind == "sherpa-onnx":
            segmentation = models.with_metadata(segmentation, scratch / "segmentation_with_metadata.onnx")
            self.command = [sys.executable, script, segmentation, embedding, threads, json.dumps(own)]
        elif kind == "diarization":
            embedding = models.with_weights(embedding, scratch / "embedding_with_weights.onnx")
            tuning = [own.pop("optimization", "all"), own.pop("threshold", "default")]
            self.command = [options.programs / "peer-diarization", segmentation, embedding, threads, *tuning]
            if own:
                sys.exit(
                    f"diarization: unknown options {sorted(own)}; known: optimization, threads, threshold"
                )
        elif kind == "speakrs":
            manifest = HERE / "diarization-crate" / "Cargo.toml"
            folder = models_speakrs.folder(segmentation, embedding, scratch / "speakrs", manifest)
            self.command = [options.programs / "peer-speakrs", folder]
            if own:
                sys.exit(f"speakrs: unknown options {sorted(own)}; it has none")
        else:
            sys.exit(f"{kind}: no such contender; known: voiceflow, sherpa-onnx, diarization, speakrs")

    def run(self, warm_up: Path, recordings: list[Recording], limit_s: float | None = None) -> dict:
        """One process, of `limit_s` at most: {load_s, warm_up_s, peak_mb, recordings: {name:
        measures}}."""
        files = [warm_up, *(recording.path for recording in recordings)]
        command = [str(part) for part in (*self.command, *files)]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=limit_s)
        except subprocess.TimeoutExpired:
            sys.exit(f"{self.label}: not done after {limit_s:.0f} s: {' '.join(command)}")
        if done.returncode != 0:
            sys.exit(f"{self.label}: ended with status {done.returncode}: {' '.join(command)}")
        load, first, *rest, memory = map(json.loads, done.stdout.splitlines())
        names = [recording.name for recording in recordings]
        measures = dict(zip(names, rest, strict=True))
        return {**load, **memory, "warm_up_s": first["seconds"], "recordings": measures}


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segmentation", type=Path, required=True, help="pyannote segmentation-3.0, ONNX")
    parser.add_argument("--embedding", type=Path, required=True, help="wespeaker speaker embedding, ONNX")
    parser.add_argument(
        "--seconds", type=float, nargs="*", default=[300, 600], help="lengths to join conversations to"
    )
    parser.add_argument("--recording", type=Path, nargs="*", default=[], help="16 kHz mono files of your own")
    parser.add_argument(
        "--threads", type=int, default=2, help="threads, and cores that everything is held to"
    )
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contender, in turns")
    parser.add_argument(
        "--contenders",
        nargs="+",
        default=list(CONTENDERS),
        metavar="NAME[:KEY=VALUE,...]",
        help=f"rows of the table, the others over the first; default {' '.join(CONTENDERS)}",
    )
    parser.add_argument("--library", type=Path, default=ROOT / "target" / "release" / "libvoiceflow.so")
    parser.add_argument(
        "--programs", type=Path, default=CACHE / "target" / "release", help="folder of the contenders in Rust"
    )
    parser.add_argument("--json", type=Path, default=CACHE / "result.json")
    options = parser.parse_args()
    needed = [options.segmentation, options.embedding, *options.recording]
    kinds = {text.partition(":")[0] for text in options.contenders}
    needed += [options.library] * ("voiceflow" in kinds) + [
        options.programs / f"peer-{kind}" for kind in ("diarization", "speakrs") if kind in kinds
    ]
    for path in needed:
        if not path.is_file():
            parser.error(f"{path}: no such file")
    if options.rounds < 1 or options.threads < 1 or not (options.seconds or options.recording):
        parser.error("expected at least one round, one thread and one recording")
    return options


def settings_of(options: argparse.Namespace, recordings: list[Recording], cores: list[int]) -> dict:
    """What is needed to repeat the run."""
    with open("/proc/cpuinfo") as file:
        cpu = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    digests = {
        kind: hashlib.sha256(path.read_bytes()).hexdigest()
        for kind, path in (("segmentation", options.segmentation), ("embedding", options.embedding))
    }
    return {
        "cpu": cpu,
        "cores": cores,
        "system": platform.platform(),
        "threads": options.threads,
        "rounds": options.rounds,
        "load_average_at_start": os.getloadavg()[0],
        "models": {kind: {"file": getattr(options, kind).name, "sha256": digests[kind]} for kind in digests},
        "runtime": Path(os.environ["ORT_DYLIB_PATH"]).name,
        "recordings": {recording.name: recording.seconds for recording in recordings},
    }


def main() -> None:
    """Runs everything and reports."""
    options = arguments()
    # voiceflow and diarization open the same ONNX Runtime; sherpa-onnx brings its own. Without the
    # file the version of `ort` in the crate waits for ever.
    runtime = Path(os.environ.get("VOICEFLOW_ORT_LIBRARY", ""))
    if not runtime.is_file():
        sys.exit(f"VOICEFLOW_ORT_LIBRARY: expected the path of libonnxruntime.so, got {str(runtime)!r}")
    os.environ["ORT_DYLIB_PATH"] = str(runtime)
    cores = sorted(os.sched_getaffinity(0))[: options.threads]
    if len(cores) < options.threads:
        sys.exit(f"expected {options.threads} cores, this process may use {len(cores)}")
    os.sched_setaffinity(0, cores)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        parts = sources(DATA, CONVERSATION)
        recordings = [joined(parts, seconds, scratch) for seconds in options.seconds]
        recordings += [given(path, scratch) for path in options.recording]
        warm_up = joined(parts, WARM_UP_S, scratch).path
        contenders = [Contender(text, options, scratch) for text in options.contenders]
        settings = settings_of(options, recordings, cores)
        # Nobody should learn after half an hour that the last contender cannot run.
        for contender in contenders:
            contender.run(warm_up, [], TRIAL_LIMIT_S)
        runs: dict[str, list[dict]] = {contender.label: [] for contender in contenders}
        for number in range(options.rounds):
            # Another first in each round: none always meets the machine after the same neighbour.
            turn = number % len(contenders)
            for contender in [*contenders[turn:], *contenders[:turn]]:
                begun = time.perf_counter()
                runs[contender.label].append(contender.run(warm_up, recordings))
                took = time.perf_counter() - begun
                print(f"round {number + 1}: {contender.label}: {took:.1f} s", file=sys.stderr, flush=True)
        rows = report.rows_of(recordings, runs)
    result = {"settings": settings, "summary": rows, "runs": runs}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(report.markdown(settings, recordings, rows))


if __name__ == "__main__":
    main()
