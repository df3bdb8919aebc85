"""The report that compares two runs of the benchmark."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts/bench_report.py"
RUN = {
    "infer": {"C": {"us": [100, 101, 102, 103], "direct_us": [1]}, "onnxruntime (Python)": {"us": [5]}},
    "scaling": {"cores": 2, "per_s": {"1": [50, 51, 50, 52]}},
    "length": {"1": {"seconds": [0.5, 0.6], "peak_mb": [80, 81]}},
    "cold_start": {"vf_session": [{"first_s": 0.1}, {"first_s": 0.12}]},
}


def report(tmp_path: Path, before: dict, after: dict, *more: str) -> tuple[int, str, str]:
    paths = [tmp_path / "before.json", tmp_path / "after.json"]
    for path, run in zip(paths, (before, after), strict=True):
        path.write_text(json.dumps(run))
    done = subprocess.run(
        [sys.executable, SCRIPT, *paths, *more], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_two_runs_alike_are_no_worse(tmp_path: Path) -> None:
    code, table, error = report(tmp_path, RUN, RUN)
    assert code == 0 and error == ""
    names = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert names == [
        "cold_start.vf_session.first_s",
        "infer.C.us",
        "length.1.peak_mb",
        "length.1.seconds",
        "scaling.per_s.1",
    ]


def test_longer_times_and_fewer_requests_are_worse(tmp_path: Path) -> None:
    slower = json.loads(json.dumps(RUN))
    slower["infer"]["C"]["us"] = [120, 121, 122, 123]
    slower["scaling"]["per_s"]["1"] = [40, 41, 40, 42]
    code, table, error = report(tmp_path, RUN, slower)
    assert code == 1 and "infer.C.us" in error and "scaling.per_s.1" in error
    assert table.count("| worse |") == 2
    assert report(tmp_path, slower, RUN)[1].count("| better |") == 2
    assert report(tmp_path, RUN, slower, "--allow", "0.5")[0] == 0


def test_what_differs_by_itself_is_no_regression(tmp_path: Path) -> None:
    noisy = json.loads(json.dumps(RUN))
    noisy["infer"]["C"]["us"] = [60, 100, 140, 180]
    assert report(tmp_path, RUN, noisy)[0] == 0


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    code, table, _ = report(tmp_path, RUN, {"length": RUN["length"]})
    assert code == 0 and table.count("not measured") == 3
    code, _, error = report(tmp_path, RUN, {})
    assert code == 1 and "expected measurements that both runs have" in error
    missing = tmp_path / "missing.json"
    done = subprocess.run(
        [sys.executable, SCRIPT, missing, missing], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "missing.json: expected the bench.json" in done.stderr
