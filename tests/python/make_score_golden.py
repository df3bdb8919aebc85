"""Writes tests/golden/score.json: random annotations with their scores by pyannote.metrics.

Run it with the packages of requirements.txt after a change of the cases: python
make_score_golden.py
"""

import json
from importlib.metadata import version
from pathlib import Path

from annotations import Scorer, cases


def main():
    golden = []
    for case in cases(seed=20, count=60):
        scorer = Scorer(case["collar"], case["skip_overlap"])
        case["expected"] = scorer.add(case["reference"], case["hypothesis"], case["uem"])
        golden.append(json.dumps(case))
    path = Path(__file__).parents[1] / "golden" / "score.json"
    path.parent.mkdir(exist_ok=True)
    metrics = version("pyannote.metrics")
    path.write_text(f'{{"pyannote.metrics": "{metrics}", "cases": [\n' + ",\n".join(golden) + "\n]}\n")
    print(f"{len(golden)} cases in {path}")


if __name__ == "__main__":
    main()
