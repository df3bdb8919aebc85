"""Diarizes a folder over a cluster by Ray Data: python ray_batch.py FOLDER OUTPUT [--concurrency N]

Writes one RTTM file for each recording into OUTPUT, and prints the throughput. Every node sees
FOLDER and OUTPUT at the same place. RAY_ADDRESS names a running cluster; without it Ray starts one
on this machine. Needs `pip install libvoiceflow "ray[data]"` on every node.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import libvoiceflow
import ray

# What is diarized by a plain `voiceflow diarize` too, in files of these kinds.
KINDS = {".aac", ".flac", ".m4a", ".mp3", ".mp4", ".ogg", ".wav"}
# Recordings that a worker is handed at once.
BATCH = 4


class Diarize:
    """A worker, which loads the model once and takes one CPU."""

    def __init__(self, output: str) -> None:
        """Loads the model in this process."""
        self.diarizer = libvoiceflow.Diarizer(threads=1)
        self.output = Path(output)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Diarizes the recordings of a batch; one that cannot be read is reported, and the others
        go on."""
        rows: dict[str, list[Any]] = {"path": [], "node": [], "duration_s": [], "speakers": [], "error": []}
        node = ray.get_runtime_context().get_node_id()
        for path in map(Path, batch["path"]):
            duration_s, speakers, error = 0.0, 0, ""
            try:
                with self.diarizer.process(path) as result:
                    (self.output / f"{path.stem}.rttm").write_text(result.to_rttm(path.stem))
                    duration_s, speakers = result.duration, len(result.speakers)
            except (libvoiceflow.Error, OSError) as failure:
                error = str(failure)
            values = (str(path), node, duration_s, speakers, error)
            for column, value in zip(rows.values(), values, strict=True):
                column.append(value)
        return rows


def diarize_folder(folder: Path, output: Path, concurrency: int) -> list[dict[str, Any]]:
    """A row for each recording of the folder."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in KINDS)
    if not files:
        raise FileNotFoundError(f"{folder}: expected recordings ({', '.join(sorted(KINDS))}), found none")
    if len({file.stem for file in files}) < len(files):
        raise FileExistsError(
            f"{folder}: expected recordings that differ in more than the kind of their files"
        )
    output.mkdir(parents=True, exist_ok=True)
    blocks = max(concurrency, len(files) // BATCH)
    rows = ray.data.from_items([{"path": str(file.absolute())} for file in files], override_num_blocks=blocks)
    done = rows.map_batches(
        Diarize,
        fn_constructor_args=(str(output.absolute()),),
        batch_size=BATCH,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=concurrency),
    )
    return done.take_all()


def main() -> int:
    """Runs the job on a cluster."""
    parser = argparse.ArgumentParser(description="Diarizes a folder over a cluster.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--concurrency", type=int, help="workers of one CPU each [default: all CPUs]")
    arguments = parser.parse_args()
    ray.init(log_to_driver=False, logging_level="error")
    try:
        concurrency = arguments.concurrency or max(int(ray.cluster_resources().get("CPU", 1)), 1)
        begin = time.monotonic()
        rows = diarize_folder(arguments.folder, arguments.output, concurrency)
        took = time.monotonic() - begin
    except OSError as error:
        print(f"ray_batch.py: {error}", file=sys.stderr)
        return 1
    finally:
        ray.shutdown()
    failed = [row for row in rows if row["error"]]
    for row in failed:
        print(f"ray_batch.py: {row['error']}", file=sys.stderr)
    audio_s = sum(row["duration_s"] for row in rows)
    done = len(rows) - len(failed)
    print(f"{done} of {len(rows)} recordings, {audio_s / 3600:.2f} h of audio in {took:.1f} s")
    print(f"by {concurrency} workers on {len({row['node'] for row in rows})} nodes")
    print(f"{audio_s / 3600 / took:.3f} hours of audio per second, {audio_s / took:.0f} times real time")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
