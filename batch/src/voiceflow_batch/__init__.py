"""Who spoke when in many recordings: libvoiceflow on Ray Data, Spark, Beam, or this machine.

    import voiceflow_batch

    voiceflow_batch.run("s3://bucket/meetings", "s3://bucket/turns", engine="ray")

The result is a table of Parquet files, a row for each turn. A job that ended early is run again and
does the rest. `python -m voiceflow_batch` is the same as a command.
"""

from __future__ import annotations

from ._errors import BatchError
from ._job import ENGINES, Summary, run
from ._table import SCHEMA
from ._work import Job, diarize

__all__ = ["ENGINES", "SCHEMA", "BatchError", "Job", "Summary", "diarize", "run"]
