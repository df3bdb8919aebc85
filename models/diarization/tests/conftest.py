"""Lets the tests import the packages where they are not installed."""

import sys
from pathlib import Path

MODELS = Path(__file__).parents[2]
sys.path[:0] = [str(MODELS / "diarization"), str(MODELS / "public")]
