"""Ray Data: one actor for each processor, restarted by Ray where it dies."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext

from ._errors import BatchError
from ._table import Report
from ._work import Job, do_part

# Of a cluster's memory for parts that wait; each holds some parts.
MOST_BLOCKS = 4096


class _Worker:
    """An actor, which loads the model at its first part."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def __call__(self, parts: pa.Table) -> pa.Table:
        reports = [do_part(part, self.job) for part in parts["part"].to_pylist()]
        return pa.Table.from_pylist([report.as_dict() for report in reports], schema=REPORT)


REPORT = pa.schema(
    [
        ("part", pa.string()),
        ("recordings", pa.int64()),
        ("failed", pa.int64()),
        ("audio_s", pa.float64()),
        ("failures", pa.string()),
        ("error", pa.string()),
    ]
)


def run(job: Job, parts: list[list[str]], workers: int | None, options: list[str]) -> Iterator[Report]:
    """A report on each part, as they are done. RAY_ADDRESS names a running cluster; without it Ray
    starts one on this machine."""
    if options:
        raise BatchError(f"ray: expected no options of an engine, got {' '.join(options)}")
    begun = not ray.is_initialized()
    if begun:
        ray.init(log_to_driver=False, logging_level="error")
    try:
        yield from _run(job, parts, workers)
    finally:
        if begun:
            ray.shutdown()


def _run(job: Job, parts: list[list[str]], workers: int | None) -> Iterator[Report]:
    count = workers or int(ray.cluster_resources().get("CPU", 1)) or 1
    count = min(count, len(parts))
    DataContext.get_current().enable_progress_bars = False
    rows = [{"part": part} for part in parts]
    reports = ray.data.from_items(rows, override_num_blocks=min(len(rows), MOST_BLOCKS)).map_batches(
        _Worker,
        fn_constructor_args=(job,),
        batch_size=1,
        batch_format="pyarrow",
        num_cpus=1,
        # No part waits at an actor while another actor has nothing to do.
        compute=ActorPoolStrategy(size=count, max_tasks_in_flight_per_actor=1),
    )
    for row in reports.iter_rows():
        yield Report.of_dict(row)
