"""What a worker does, the same on every engine: diarizes the recordings of one part, and puts the
part into the table."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import libvoiceflow
import pyarrow as pa

from . import _store, _table
from ._errors import BatchError
from ._table import FAILED, OK, SCHEMA, Report

# Seconds after which a part that could not be written is tried again.
PAUSES_S = (1, 5)


@dataclass(frozen=True)
class Job:
    """What all parts have in common."""

    output: str
    """The table: a folder's address."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of `libvoiceflow.Diarizer`; each worker has one thread."""
    deadline_s: float | None = None
    """Seconds for one recording; one that takes longer has failed."""


_lock = threading.Lock()
_made: tuple[Mapping[str, Any], libvoiceflow.Diarizer] | None = None


def _diarizer(options: Mapping[str, Any]) -> libvoiceflow.Diarizer:
    """The diarizer of this process, which is loaded once."""
    global _made
    with _lock:
        if _made is None or _made[0] != options:
            try:
                _made = options, libvoiceflow.Diarizer(**{**options, "threads": 1})
            except (libvoiceflow.Error, TypeError) as error:
                raise BatchError(f"no diarizer can be made: {error}") from error
        return _made[1]


def _forget_diarizer() -> None:
    global _made
    with _lock:
        _made = None


def diarize(recording: str, job: Job) -> pa.Table:
    """The rows of one recording, of the table's schema. One that cannot be diarized is a row with
    its error.

    OSError: it cannot be fetched.
    """
    diarizer = _diarizer(job.options)
    rows = _rows(recording, diarizer, job)
    return pa.Table.from_pylist([_head(recording, diarizer) | row for row in rows], schema=SCHEMA)


def _head(recording: str, diarizer: libvoiceflow.Diarizer) -> dict[str, Any]:
    info = diarizer.info
    model = f"{info.name}/{info.version}" if info.version else info.name
    return {"recording": recording, "model": model, "model_sha256": info.sha256}


def _rows(recording: str, diarizer: libvoiceflow.Diarizer, job: Job) -> list[dict[str, Any]]:
    deadline_ms = None if job.deadline_s is None else round(job.deadline_s * 1000)
    try:
        with (
            _store.on_disk(recording) as source,
            diarizer.process(source, deadline_ms=deadline_ms) as result,
        ):
            return list(_turns(result))
    except (libvoiceflow.Error, FileNotFoundError, pa.ArrowException) as error:
        if isinstance(error, libvoiceflow.PanicError | libvoiceflow.PoisonedError):
            _forget_diarizer()
        return [{"status": FAILED, "error": str(error)}]


def _turns(result: libvoiceflow.Diarization) -> Iterator[dict[str, Any]]:
    warnings = [f"{it.code.name.lower()} at {it.time:.3f} s: {it.text}" for it in result.warnings]
    whole = {"status": OK, "duration_s": result.duration, "warnings": warnings}
    if not len(result):
        yield whole
    for turn, segment in enumerate(result):
        yield whole | {
            "turn": turn,
            "start_s": segment.start,
            "end_s": segment.end,
            "speaker": segment.speaker,
            "confidence": segment.confidence,
            "overlap": segment.overlap,
        }


def do_part(recordings: list[str], job: Job) -> Report:
    """Diarizes the recordings of a part and puts it into the table, unless it is there: a worker
    that died may have got as far as that."""
    name = _table.part_name(recordings)
    try:
        there = _table.report_on(job.output, name)
        return there or _write(name, _whole_part(recordings, job), job)
    except OSError as error:
        return Report(name, len(recordings), error=str(error))


def _whole_part(recordings: list[str], job: Job) -> pa.Table:
    """The rows of all recordings. One that cannot be fetched has failed; where none can be, it is
    the store that fails, and not they."""
    tables, unreachable = [], []
    for recording in recordings:
        try:
            tables.append(diarize(recording, job))
        except OSError as error:
            unreachable.append(error)
            head = _head(recording, _diarizer(job.options))
            row = head | {"status": FAILED, "error": f"{recording}: cannot be fetched: {error}"}
            tables.append(pa.Table.from_pylist([row], schema=SCHEMA))
    if len(unreachable) == len(recordings):
        raise unreachable[0]
    return pa.concat_tables(tables)


def _write(name: str, rows: pa.Table, job: Job) -> Report:
    for pause_s in PAUSES_S:
        try:
            return _table.write(job.output, name, rows)
        except OSError:
            time.sleep(pause_s)
    return _table.write(job.output, name, rows)
