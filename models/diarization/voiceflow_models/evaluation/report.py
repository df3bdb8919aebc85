"""The report of an evaluation: JSON for programs, Markdown for readers."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from pathlib import Path

import onnx
import onnxruntime

from .latency import Latency
from .verification import CUT_S, SEED, Verification

FORMAT = "voiceflow.evaluation"
VERSION = 1
LISTED_SHARE = 0.01
"""Operator types with less of the time than this are not in the Markdown."""


JOINT = "model.onnx"
"""The file of a bundle that is one model."""
PAIR = ("segmentation.onnx", "embedding.onnx")
"""The files of a bundle that is two."""
METADATA = "metadata.json"
REPORT = "validation_report.json"


def resolve(models: Path) -> Path:
    """The file of a joint model, which may be named by the folder of its bundle; the folder of a
    pair."""
    return models / JOINT if (models / JOINT).exists() else models


def facts(models: Path) -> dict:
    """Which file, or which files of a pair, were measured."""
    return pair_facts(models) if models.is_dir() else model_facts(models)


def pair_facts(folder: Path) -> dict:
    """Which files were measured, and whose version they are as metadata.json says."""
    for name in (*PAIR, METADATA):
        if not (folder / name).is_file():
            expected = f"{JOINT}, or {', '.join(PAIR)} and {METADATA}"
            raise SystemExit(f"{folder}: expected a bundle with {expected}, found no {name}")
    metadata = json.loads((folder / METADATA).read_text())
    contents = {name: (folder / name).read_bytes() for name in PAIR}
    return {
        "name": metadata.get("name"),
        "version": metadata.get("version"),
        "bytes": sum(map(len, contents.values())),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
    }


def model_facts(path: Path) -> dict:
    """Which file was measured."""
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    data = path.read_bytes()
    return {
        "name": properties.get("voiceflow.name"),
        "version": properties.get("voiceflow.version"),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
    }


def machine_facts() -> dict:
    """What it was measured on, and how busy that was (processes ready to run, mean of the last
    minute)."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "onnxruntime": onnxruntime.__version__,
    }


def _processor() -> str:
    """The name of the CPU; Linux has it in a file only."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def verification_facts(found: dict[str, dict[str, Verification]]) -> dict:
    """Equal error rates and sampled curves, by condition and encoder."""
    facts: dict = {"cut_s": CUT_S, "seed": SEED}
    for condition, encoders in found.items():
        facts[condition] = {}
        for name, result in encoders.items():
            rate, threshold = result.det.equal_error()
            false_alarm, miss = result.det.sampled()
            facts[condition][name] = {
                "equal_error_rate": rate,
                "cosine_at_equal_error": threshold,
                "cuts": result.cuts,
                "unheard_cuts": result.silent,
                "same_voice_trials": sum(result.same),
                "same_voice_trials_by_speaker": result.same,
                "different_voice_trials": result.different,
                "det": {
                    "false_alarm": [round(float(value), 6) for value in false_alarm],
                    "miss": [round(float(value), 6) for value in miss],
                },
            }
    return facts


def keep(found: dict, path: Path) -> None:
    """Puts a report under ``evaluation`` into the validation report of a model folder, if there is
    one."""
    whole = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**whole, "evaluation": found}, indent=2) + "\n")


def percent(share: float | None) -> str:
    """A share as percent; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.1f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, the first column to the left and figures to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def verification_table(found: dict[str, dict[str, Verification]]) -> str:
    """Equal error rates, each speaker counting alike."""
    rows = []
    for condition, encoders in found.items():
        for name, result in encoders.items():
            trials = f"{sum(result.same)} + {result.different}"
            rate, _ = result.det.equal_error()
            rows.append([f"{name}, {condition}", percent(rate), f"{result.silent} of {result.cuts}", trials])
    return table(
        [f"{CUT_S} s against {CUT_S} s", "EER %", "without embedding", "trials, same + different"], rows
    )


def diarization_table(folder: str, result: dict) -> str:
    """Rates by recording and overall."""
    kinds = ("der", "missed", "false_alarm", "confusion", "jer")
    rows = [
        [
            entry["recording"],
            *(percent(entry[kind]) for kind in kinds),
            f"{entry['found_speakers']} of {entry['reference_speakers']}",
        ]
        for entry in result["recordings"]
    ]
    for name, whole in {"overall": result, **result.get("variants", {})}.items():
        right = f"right in {whole['count_right']} of {whole['count_of']}"
        rows.append([name, *(percent(whole["overall"][kind]) for kind in kinds), right])
    if told := result.get("count_told"):
        rows.append(["count told", *(percent(told[kind]) for kind in kinds), "–"])
    return table([folder, "DER %", "missed %", "false alarm %", "confusion %", "JER %", "speakers"], rows)


def within_table(folder: str, found: list[dict]) -> str:
    """Equal error rates of voices of one recording."""
    rows = [
        [f"{one['seconds']:g} s", percent(one["equal_error_rate"]), f"{one['unheard']} of {one['stretches']}"]
        for one in found
    ]
    return table([f"{folder}, voices within a recording", "EER %", "without embedding"], rows)


def latency_table(latency: Latency) -> str:
    """Times, and then where the time of the model goes."""
    facts = latency.report()
    rows = []
    for window in facts["windows"]:
        times = [f"{window[key]:.2f}" for key in ("least_ms", "median_ms", "p99_ms", "median_ms_per_second")]
        ratios = [f"{window[key]:.3f}" if key in window else "–" for key in ("median_ratio", "least_ratio")]
        rows.append([f"{window['file']} ({window['role']})", f"{window['window_s']}", *times, *ratios])
    head = [
        "one thread",
        "window s",
        "least ms",
        "median ms",
        "P99 ms",
        "median ms/s",
        "ratio",
        "ratio of least",
    ]
    listed = [[kind, percent(share)] for kind, share in latency.operators.items() if share >= LISTED_SHARE]
    million = sum(latency.counts.values()) / 1e6
    arithmetic = (
        f"{million:.1f} million multiply-adds a window: {percent(latency.peak_share)} % of the "
        f"{latency.peak_flops / 1e9:.0f} GFLOPS of a core.\n"
    )
    return "\n".join([table(head, rows), table(["operator", "time %"], listed), arithmetic])
