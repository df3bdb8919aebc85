"""Diarizes recordings into a table of Parquet files: a job that ended early does the rest when it
is run again."""

from __future__ import annotations

import argparse
import sys
import time

from ._errors import BatchError
from ._job import ENGINES, PART_SIZE, Summary, run

# Seconds from one line of progress to the next.
PROGRESS_S = 10
PROGRAM = "voiceflow_batch"


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m {PROGRAM}",
        usage="%(prog)s [options] INPUT OUTPUT [-- ENGINE OPTIONS]",
        description=__doc__,
        epilog="What follows `--` goes to the engine: settings of Spark as NAME=VALUE, options of a pipeline "
        "of Beam. RAY_ADDRESS names a running Ray cluster. The end is 0 where the table has each recording, "
        "with its turns or with its error; 1 where it lacks some; 2 for a wrong command line.",
    )
    parser.add_argument("input", help="folder, recording, or .txt of addresses; path, s3:// or gs://")
    parser.add_argument("output", help="folder of the table; path, s3:// or gs://")
    parser.add_argument("--engine", choices=ENGINES, default="local", help="[default: %(default)s]")
    parser.add_argument("--workers", type=int, help="of local and ray [default: one for each processor]")
    parser.add_argument(
        "--part-size", type=int, default=PART_SIZE, help="recordings of one file [default: %(default)s]"
    )
    parser.add_argument("--models", help="bundle: fast-cnn, accurate, or its folder on every worker")
    parser.add_argument("--deadline-s", type=float, help="seconds for one recording [default: any]")
    parser.add_argument("--retry-failed", action="store_true", help="do again what failed before")
    ours = words[: words.index("--")] if "--" in words else words
    arguments = parser.parse_args(ours)
    arguments.engine_options = words[len(ours) + 1 :]
    return arguments


def _say(text: str) -> None:
    print(f"{PROGRAM}: {text}", file=sys.stderr, flush=True)


class _Progress:
    """A line now and then."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, so_far: Summary) -> None:
        if time.monotonic() - self.last >= PROGRESS_S:
            self.last = time.monotonic()
            of = so_far.found - so_far.there
            _say(f"{so_far.done + so_far.missing} of {of} recordings, {so_far.audio_s / 3600:.2f} h of audio")


def _tell(summary: Summary, output: str) -> None:
    if summary.others:
        _say(f"{summary.others} files of other kinds were passed over")
    for _, error in summary.failures:
        _say(error)
    for error in summary.errors:
        _say(error)
    if summary.failed:
        _say(f"{summary.failed} recordings failed: rows with status 'failed' and the error")
    if summary.missing:
        _say(f"{summary.missing} recordings are not in {output}: run it again, which does the rest")
    print(f"{summary.done} of {summary.found} recordings, {summary.there} were there")
    if summary.took_s and summary.audio_s:
        speed = summary.audio_s / summary.took_s
        print(
            f"{summary.audio_s / 3600:.2f} h of audio in {summary.took_s:.1f} s, {speed:.0f} times real time"
        )


def main(words: list[str] | None = None) -> int:
    """Runs the job of a command line."""
    arguments = _arguments(sys.argv[1:] if words is None else words)
    options = {} if arguments.models is None else {"bundle": arguments.models}
    try:
        summary = run(
            arguments.input,
            arguments.output,
            engine=arguments.engine,
            workers=arguments.workers,
            part_size=arguments.part_size,
            deadline_s=arguments.deadline_s,
            retry_failed=arguments.retry_failed,
            engine_options=arguments.engine_options,
            on_part=_Progress(),
            **options,
        )
    except (BatchError, OSError) as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        _say("interrupted: run it again, which does the rest")
        return 130
    _tell(summary, arguments.output)
    return 1 if summary.missing else 0


if __name__ == "__main__":
    sys.exit(main())
