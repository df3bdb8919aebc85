"""Lets the tests import the package where it is not installed."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

# The networks are so small that threads cost more than they give.
os.environ.setdefault("OMP_NUM_THREADS", "1")
