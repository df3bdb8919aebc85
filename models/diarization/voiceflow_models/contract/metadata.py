"""The metadata properties ``voiceflow.*`` of a file, with the same limits as the library's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..layout import SAMPLE_RATE
from . import tuning
from .check import Check, expect

CONTRACT = 1
LONGEST_WINDOW_S = 60
MOST_SPEAKERS = 16
LONGEST_EMBEDDING = 4096
HIGHEST_THRESHOLDS = {"onset": 1.0, "offset": 1.0, "clustering": 2.0}
SEMANTIC_VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}([-+].*)?")


@dataclass(frozen=True)
class Facts:
    """What the runs have to know; zero where the metadata is broken."""

    window: int
    """Samples."""
    frame_step: int
    """Samples."""
    speakers: int
    dim: int


def check_metadata(properties: Mapping[str, str]) -> tuple[Facts, list[Check]]:
    """Every key, in the order of the contract."""
    checks: list[Check] = []

    def text(key: str, expected: str, pattern: re.Pattern) -> None:
        found = properties.get(f"voiceflow.{key}")
        kept = found is not None and pattern.fullmatch(found) is not None
        checks.append(expect(f"voiceflow.{key}", kept, expected, _shown(found)))

    def number(key: str, lowest: int, highest: int) -> int:
        found = properties.get(f"voiceflow.{key}")
        value = int(found) if found is not None and re.fullmatch(r"\d{1,18}", found) else -1
        kept = lowest <= value <= highest
        expected = str(lowest) if lowest == highest else f"a number from {lowest} to {highest}"
        checks.append(expect(f"voiceflow.{key}", kept, expected, _shown(found)))
        return value if kept else 0

    number("contract", CONTRACT, CONTRACT)
    text("name", "a name", re.compile(r".*\S.*"))
    text("version", "a semantic version such as 1.0.0", SEMANTIC_VERSION)
    number("sample_rate", SAMPLE_RATE, SAMPLE_RATE)
    longest = LONGEST_WINDOW_S * SAMPLE_RATE
    window = number("window_samples", 1, longest)
    number("hop_samples", 1, window or longest)
    frame_step = number("frame_step_samples", 1, window or longest)
    number("frame_offset_samples", 0, window or longest)
    speakers = number("max_speakers", 1, MOST_SPEAKERS)
    dim = number("embedding_dim", 1, LONGEST_EMBEDDING)
    checks.append(_check_thresholds(properties.get("voiceflow.thresholds")))
    if tuning.KEY in properties:
        checks.extend(tuning.check_tuning(properties[tuning.KEY], tuning.PLDA in properties))
    if tuning.PLDA in properties:
        checks.append(_check_plda(properties[tuning.PLDA], dim))
    return Facts(window, frame_step, speakers, dim), checks


def _check_thresholds(found: str | None) -> Check:
    try:
        values = json.loads(found or "")
    except json.JSONDecodeError:
        values = None
    ranges = ", ".join(f"{name} from 0 to {high:g}" for name, high in HIGHEST_THRESHOLDS.items())
    kept = isinstance(values, dict) and all(
        isinstance(values.get(name), (int, float)) and 0 <= values[name] <= high
        for name, high in HIGHEST_THRESHOLDS.items()
    )
    return expect("voiceflow.thresholds", kept, f"a JSON object with {ranges}", _shown(found))


def _check_plda(found: str, dim: int) -> Check:
    """How voices vary, for clustering by VBx: a file may be without."""
    expected = f"a JSON object with fa and fb above 0 and the arrays of a PLDA for embeddings of {dim}"
    try:
        values = json.loads(found)
        to = len(values["mean2"])
        sizes = {"mean1": dim, "lda": dim * to, "mean2": to, "mu": to, "tr": to * to, "psi": to}
        kept = all(
            len(values[name]) == size and all(math.isfinite(value) for value in values[name])
            for name, size in sizes.items()
        )
        kept = kept and to > 0 and min(values["fa"], values["fb"], *values["psi"]) > 0
    except (ValueError, KeyError, TypeError):
        kept = False
    return expect(tuning.PLDA, kept, expected, _shown(found))


def _shown(found: str | None) -> str:
    """A text from the file, short and printable."""
    return "no such key" if found is None else ascii(found[:80])
