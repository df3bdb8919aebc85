"""Apache Beam: a pipeline of one step over the parts, for Dataflow and what else runs Beam."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from . import _table
from ._errors import BatchError
from ._table import Report, part_name
from ._work import Job, do_part


class _Work(beam.DoFn):
    """Does a part; one that cannot be written fails, so that the runner tries it again."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, part: list[str]) -> None:
        report = do_part(part, self.job)
        if report.error is not None:
            raise BatchError(report.error)


def run(job: Job, parts: list[list[str]], workers: int | None, options: list[str]) -> Iterator[Report]:
    """A report on each part, once all are done. `options` are those of a pipeline, such as
    --runner=DataflowRunner."""
    if workers is not None:
        raise BatchError("beam: expected no number of workers, which is an option of each runner")
    with beam.Pipeline(options=PipelineOptions(options)) as pipeline:
        # Without the shuffle one worker would get all of them.
        _ = pipeline | beam.Create(parts) | beam.Reshuffle() | beam.ParDo(_Work(job))
    for part in parts:
        name = part_name(part)
        missing = Report(name, len(part), error="the pipeline has ended without it")
        yield _table.report_on(job.output, name) or missing
