"""docs/COST.md is what scripts/cost.py makes of the published figures and the prices."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tables_are_computed() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/cost.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
