"""A job from its recordings to its table."""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import _recordings, _store, _table
from ._errors import BatchError
from ._table import TOLD, Report
from ._work import Job

ENGINES = ("local", "ray", "spark", "beam")
PART_SIZE = 16
# Recordings that one part may have.
MOST_IN_PART = 10_000


@dataclass
class Summary:
    """What a job did."""

    found: int
    """Recordings of the input."""
    there: int
    """Of these, recordings that the table had already."""
    others: int
    """Files of other kinds in the input, which were passed over."""
    done: int = 0
    """Recordings that the table has now, and had not."""
    failed: int = 0
    """Of these, recordings that could not be diarized: rows with an error."""
    missing: int = 0
    """Recordings of parts that could not be put into the table; the next run does them."""
    audio_s: float = 0.0
    """Audio of the recordings that were diarized."""
    took_s: float = 0.0
    """Of the engine, its start and end included."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Address and error of the first recordings that failed."""
    errors: list[str] = field(default_factory=list)
    """Why parts are missing."""

    def add(self, report: Report) -> None:
        """Counts one part."""
        if report.error is not None:
            self.missing += report.recordings
            self.errors.append(f"{report.part}: {report.error}")
            return
        self.done += report.recordings
        self.failed += report.failed
        self.audio_s += report.audio_s
        self.failures = (self.failures + report.failures)[:TOLD]


def run(
    source: str,
    output: str,
    *,
    engine: str = "local",
    workers: int | None = None,
    part_size: int = PART_SIZE,
    deadline_s: float | None = None,
    retry_failed: bool = False,
    engine_options: list[str] | None = None,
    on_part: Callable[[Summary], object] | None = None,
    **options: Any,
) -> Summary:
    """Diarizes recordings into a table; what the table has is not done again.

    source: a folder, searched with all below it; one recording; or a `.txt` with the address of a
        recording on each line. Paths, or addresses of s3:// or gs://, which every worker can read.
    output: the folder of the table, for which the same holds. One job at a time.
    engine: "local", "ray", "spark" or "beam".
    workers: of local and ray. Default: one for each processor.
    part_size: recordings of one file of the table, which are lost together where a worker dies.
    deadline_s: seconds for one recording; one that takes longer has failed.
    retry_failed: whether recordings that failed before are done again.
    engine_options: settings of Spark, NAME=VALUE; options of a pipeline of Beam.
    on_part: called with the summary so far, as parts are done; at the end by Spark and Beam.
    options: of `libvoiceflow.Diarizer`, such as `bundle="fast-cnn"`.

    BatchError: the job cannot begin, or cannot go on. OSError: a store cannot be read or written.
    """
    runner = _engine(engine)
    _check(workers, part_size, deadline_s)
    table = _store.whole(output)
    recordings = _recordings.find(source)
    _store.clear_unfinished(table)
    if retry_failed:
        _table.forget_failed(table)
    there = _table.done(table)
    left = [address for address in recordings.addresses if address not in there]
    found = len(recordings.addresses)
    summary = Summary(found, there=found - len(left), others=recordings.others)
    job = Job(table, options, deadline_s)
    parts = _table.parts_of(left, part_size)
    began = time.monotonic()
    if parts:
        for report in _told(engine, runner(job, parts, workers, engine_options or [])):
            summary.add(report)
            summary.took_s = time.monotonic() - began
            if on_part is not None:
                on_part(summary)
    summary.took_s = time.monotonic() - began
    return summary


def _check(workers: int | None, part_size: int, deadline_s: float | None) -> None:
    if workers is not None and workers < 1:
        raise BatchError(f"workers: expected 1 or more, got {workers}")
    if not 1 <= part_size <= MOST_IN_PART:
        raise BatchError(f"part_size: expected 1 to {MOST_IN_PART:,}, got {part_size}")
    if deadline_s is not None and not 0 < deadline_s < float("inf"):
        raise BatchError(f"deadline_s: expected seconds above 0, got {deadline_s}")


def _engine(name: str) -> Callable[[Job, list[list[str]], int | None, list[str]], Iterator[Report]]:
    if name not in ENGINES:
        raise BatchError(f"engine: expected one of {', '.join(ENGINES)}, got {name}")
    try:
        module = importlib.import_module(f"._on_{name}", __package__)
    except ModuleNotFoundError as error:
        if name == "local":
            raise
        raise BatchError(f'{name}: {error}; `pip install "libvoiceflow-batch[{name}]"` brings it') from None
    runner: Callable[[Job, list[list[str]], int | None, list[str]], Iterator[Report]] = module.run
    return runner


def _told(engine: str, reports: Iterator[Report]) -> Iterator[Report]:
    """The reports; where a worker says why the job cannot go on, its words without the engine's."""
    try:
        yield from reports
    except (BatchError, OSError):
        raise
    except Exception as error:
        # Beam says where it was behind it.
        end = r"(?: \[while running |\n|\\n|$)"
        said = re.findall(rf"{BatchError.__name__}: (.*?){end}", str(error))
        raise BatchError(said[-1] if said else f"{engine}: {error}") from error
