"""The metadata property ``voiceflow.tuning``: the numbers of diarization that belong to a joint
model."""

from __future__ import annotations

import json

from .check import Check, expect

KEY = "voiceflow.tuning"
PLDA = "voiceflow.plda"
METHODS = ("average", "centroid", "vbx")
RANGES = {
    "trusted_s": (0.0, 60.0),
    "min_cluster_share": (0.0, 1.0),
    "least_speaker_s": (0.0, 60.0),
    "vbx_voices": (0.0, 1e6),
    "min_speech_s": (0.0, 60.0),
    "min_silence_s": (0.0, 60.0),
    "live_window_s": (0.1, 60.0),
    "live_hop_s": (0.1, 60.0),
    "live_link_factor": (0.0, 10.0),
    "live_new_factor": (0.0, 10.0),
    "live_founding_s": (0.0, 60.0),
    "short_hop_s": (0.1, 60.0),
    "close_window_s": (0.1, 60.0),
    "close_hop_s": (0.1, 60.0),
}
"""Keys and limits, the same as the library's."""

MAY_BE_NULL = ("min_cluster_share", "short_hop_s")


def check_tuning(found: str, has_plda: bool) -> list[Check]:
    """Each key, with the limits of the library, which refuses those that it does not know, and VBx
    without a PLDA."""
    try:
        values = json.loads(found)
    except json.JSONDecodeError:
        values = None
    if not isinstance(values, dict):
        return [expect(KEY, False, "a JSON object", ascii(found[:80]))]
    checks = [Check(KEY)]
    for name, value in values.items():
        label = f"{KEY}, {name}"
        if name == "clustering":
            lacking = value == "vbx" and not has_plda
            expected = f"average or centroid from a file without {PLDA}" if lacking else " or ".join(METHODS)
            checks.append(expect(label, value in METHODS and not lacking, expected, ascii(value)))
        elif name not in RANGES:
            checks.append(expect(label, False, ", ".join(["clustering", *RANGES]), "an unknown key"))
        else:
            low, high = RANGES[name]
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            kept = low <= value <= high if number else value is None and name in MAY_BE_NULL
            null = ", or null" if name in MAY_BE_NULL else ""
            checks.append(expect(label, kept, f"{low:g} to {high:g}{null}", ascii(value)))
    return checks
