"""Spark, by `mapInPandas`: a task for each part, tried again by Spark where its worker dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
from pyspark.sql import SparkSession

from ._errors import BatchError
from ._table import Report
from ._work import Job, do_part

REPORT = "part string, recordings long, failed long, audio_s double, failures string, error string"
# Tasks of one stage: more cost the driver more than they spread.
MOST_TASKS = 20_000


def run(job: Job, parts: list[list[str]], workers: int | None, options: list[str]) -> Iterator[Report]:
    """A report on each part, once all are done. `options` are settings of Spark, NAME=VALUE; what
    `spark-submit` or a notebook has set up is used as it is."""
    if workers is not None:
        raise BatchError("spark: expected no number of workers, which its executors have")
    builder = SparkSession.builder.appName("voiceflow_batch")
    for option in options:
        name, found, value = option.partition("=")
        if not found:
            raise BatchError(f"spark: expected a setting NAME=VALUE, got {option}")
        builder = builder.config(name, value)
    begun = SparkSession.getActiveSession() is None
    session = builder.getOrCreate()
    try:
        slices = min(len(parts), MOST_TASKS)
        frame = session.sparkContext.parallelize([(part,) for part in parts], slices).toDF(
            "part array<string>"
        )
        for row in frame.mapInPandas(_working(job), REPORT).collect():
            yield Report.of_dict(row.asDict())
    finally:
        if begun:
            session.stop()


def _working(job: Job) -> Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]:
    def work(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            for part in frame["part"]:
                yield pd.DataFrame([do_part(list(part), job).as_dict()])

    return work
