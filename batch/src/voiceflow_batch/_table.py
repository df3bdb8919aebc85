"""The table of results: whole parts, each a Parquet file that is named by its recordings.

The same recordings make the same part, so that a part that is done twice is one file all the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from . import _store
from ._errors import BatchError

SCHEMA = pa.schema(
    [
        pa.field("recording", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("error", pa.string()),
        pa.field("duration_s", pa.float64()),
        pa.field("warnings", pa.list_(pa.string())),
        pa.field("model", pa.string(), nullable=False),
        pa.field("model_sha256", pa.string(), nullable=False),
        pa.field("turn", pa.int32()),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("speaker", pa.string()),
        pa.field("confidence", pa.float32()),
        pa.field("overlap", pa.bool_()),
    ]
)
"""A row for each turn; one without a turn for a recording without speech, or that failed."""

OK, FAILED = "ok", "failed"
PART = re.compile(r"part-[0-9a-f]{32}\.parquet")
# What a file's metadata says about the part.
ABOUT = b"voiceflow_batch"
# Failures whose text a report has.
TOLD = 10
# Parts whose head is read at once.
READERS = 16


@dataclass(frozen=True)
class Report:
    """What became of one part."""

    part: str
    recordings: int
    failed: int = 0
    audio_s: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Of the first that failed, address and error."""
    error: str | None = None
    """Why the part is not in the table."""

    def as_dict(self) -> dict[str, Any]:
        """With text in place of what a table of every engine does not have."""
        return asdict(self) | {"failures": json.dumps(self.failures)}

    @classmethod
    def of_dict(cls, values: dict[str, Any]) -> Report:
        """What `as_dict` made."""
        failures = [(address, error) for address, error in json.loads(values["failures"])]
        return cls(**(values | {"failures": failures}))


def part_name(recordings: Iterable[str]) -> str:
    """The file of the part with these recordings."""
    # An address may have any character, so none can stand between two.
    digest = hashlib.sha256(json.dumps(list(recordings)).encode())
    return f"part-{digest.hexdigest()[:32]}.parquet"


def parts_of(recordings: list[str], size: int) -> list[list[str]]:
    """The recordings in parts of a size."""
    return [recordings[at : at + size] for at in range(0, len(recordings), size)]


def write(output: str, name: str, rows: pa.Table) -> Report:
    """Puts a part into the table at once."""
    report = _report(name, rows)
    about = {ABOUT: json.dumps(report.as_dict()).encode()}
    sink = pa.BufferOutputStream()
    pq.write_table(rows.replace_schema_metadata(about), sink, compression="zstd")
    _store.put(_store.join(output, name), sink.getvalue().to_pybytes())
    return report


def _report(name: str, rows: pa.Table) -> Report:
    first = rows.filter(pc.or_kleene(pc.is_null(rows["turn"]), pc.equal(rows["turn"], 0)))
    failed = first.filter(pc.equal(first["status"], FAILED))
    told = failed.slice(0, TOLD)
    return Report(
        part=name,
        recordings=first.num_rows,
        failed=failed.num_rows,
        audio_s=pc.sum(first["duration_s"]).as_py() or 0.0,
        failures=list(zip(told["recording"].to_pylist(), told["error"].to_pylist(), strict=True)),
    )


def report_on(output: str, name: str) -> Report | None:
    """What a part in the table says about itself; None where it is not there."""
    address = _store.join(output, name)
    try:
        with _store.reading(address) as file:
            return _about(address, pq.ParquetFile(file))
    except FileNotFoundError:
        return None
    except pa.ArrowInvalid as error:
        raise _no_part(address, error) from None


def _about(address: str, file: Any) -> Report:
    metadata = file.schema_arrow.metadata or {}
    if ABOUT not in metadata:
        raise _no_part(address, "another program wrote it")
    return Report.of_dict(json.loads(metadata[ABOUT]))


def _no_part(address: str, why: object) -> BatchError:
    return BatchError(
        f"{address}: expected a part of a table of voiceflow_batch: {why}; "
        "where it is removed, its recordings are done again"
    )


def _parts(output: str) -> list[str]:
    return [name for name in _store.names(output) if PART.fullmatch(name)]


def done(output: str) -> set[str]:
    """The recordings that the table has."""
    holders: dict[str, str] = {}
    parts = _parts(output)
    with ThreadPoolExecutor(READERS) as pool:
        held = pool.map(lambda name: _recordings(output, name), parts)
        for part, recordings in zip(parts, held, strict=True):
            for recording in recordings:
                other = holders.setdefault(recording, part)
                if other != part:
                    raise BatchError(
                        f"{output}: expected each recording in one part, found {recording} in {other} and "
                        f"{part}, as where two jobs wrote at once; where one is removed, what it alone "
                        "has is done again"
                    )
    return set(holders)


def _recordings(output: str, name: str) -> list[str]:
    address = _store.join(output, name)
    try:
        with _store.reading(address) as file:
            part = pq.ParquetFile(file)
            _about(address, part)
            found: list[str] = part.read(columns=["recording"])["recording"].unique().to_pylist()
            return found
    except pa.ArrowInvalid as error:
        raise _no_part(address, error) from None


def forget_failed(output: str) -> int:
    """Takes the recordings that failed out of the table, part by part; how many they were."""
    forgotten = 0
    for name in _parts(output):
        report = report_on(output, name)
        if report is None or not report.failed:
            continue
        address = _store.join(output, name)
        rows = pq.read_table(pa.BufferReader(_store.read(address)))
        kept = rows.filter(pc.equal(rows["status"], OK))
        if kept.num_rows:
            write(output, name, kept)
        else:
            _store.delete(address)
        forgotten += report.failed
    return forgotten
