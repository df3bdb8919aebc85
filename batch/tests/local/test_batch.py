"""Jobs of this machine: what is in the table, what is done again, and what is not."""

from __future__ import annotations

import shutil
import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvoiceflow
import pyarrow.parquet as pq
import pytest
import voiceflow_batch
from voiceflow_batch import BatchError, _on_local, _table, _work
from workers import DEADLY, RECORDING, do_part_or_die

# The model that takes the least time.
FAST = {"bundle": "fast-cnn"}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers of `local` are this process, which takes no time to start."""

    def run(job: Any, parts: list[list[str]], *_: Any) -> Any:
        yield from (_work.do_part(part, job) for part in parts)

    monkeypatch.setattr(_on_local, "run", run)


def rows(table: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = pq.read_table(table).to_pylist()
    return read


def by_recording(table: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows(table):
        found.setdefault(row["recording"], []).append(row)
    return found


def once(table: Path) -> bool:
    """Whether no turn of a recording is there twice."""
    counts = Counter((row["recording"], row["turn"]) for row in rows(table))
    return set(counts.values()) == {1}


def contents(table: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in table.iterdir()}


def silence(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(64_000))


def test_a_folder_with_bad_files(folder: Callable[..., Path], tmp_path: Path, here: None) -> None:
    place, table = folder("a.flac", "deeper/b.flac", "notes.txt"), tmp_path / "turns"
    (place / "broken.wav").write_text("no audio")
    silence(place / "silence.wav")
    summary = voiceflow_batch.run(str(place), str(table), **FAST)
    assert (summary.found, summary.done, summary.there, summary.missing) == (4, 4, 0, 0)
    assert (summary.failed, summary.others) == (1, 1)
    assert summary.failures[0][0] == str(place / "broken.wav")

    found = by_recording(table)
    with libvoiceflow.Diarizer(threads=1, **FAST) as diarizer:
        expected, info = diarizer.process(RECORDING), diarizer.info
    for name in ("a.flac", "deeper/b.flac"):
        turns = found[str(place / name)]
        assert [row["turn"] for row in turns] == list(range(len(expected)))
        for row, segment in zip(turns, expected, strict=True):
            assert (row["start_s"], row["end_s"]) == (segment.start, segment.end)
            assert (row["speaker"], row["overlap"]) == (segment.speaker, segment.overlap)
            assert row["confidence"] == pytest.approx(segment.confidence)
            assert (row["status"], row["error"]) == ("ok", None)
            assert row["duration_s"] == expected.duration
            assert (row["model"], row["model_sha256"]) == (f"{info.name}/{info.version}", info.sha256)
    (broken,) = found[str(place / "broken.wav")]
    assert broken["status"] == "failed" and "broken.wav" in broken["error"]
    assert broken["turn"] is None and broken["duration_s"] is None
    (silent,) = found[str(place / "silence.wav")]
    assert (silent["status"], silent["turn"], silent["duration_s"]) == ("ok", None, 2.0)


def test_what_is_there_is_not_done_again(folder: Callable[..., Path], tmp_path: Path, here: None) -> None:
    place, table = folder(*(f"{number}.flac" for number in range(5))), tmp_path / "turns"
    first = voiceflow_batch.run(str(place), str(table), part_size=2, **FAST)
    parts = contents(table)
    assert (first.done, len(parts)) == (5, 3)
    again = voiceflow_batch.run(str(place), str(table), part_size=2, **FAST)
    assert (again.done, again.there) == (0, 5) and contents(table) == parts

    # The same recordings make the same file, to the byte.
    lost = sorted(parts)[0]
    held = len(set(pq.read_table(table / lost)["recording"].to_pylist()))
    (table / lost).unlink()
    rest = voiceflow_batch.run(str(place), str(table), part_size=2, **FAST)
    assert (rest.done, rest.there) == (held, 5 - held) and contents(table) == parts

    shutil.copyfile(RECORDING, place / "new.flac")
    more = voiceflow_batch.run(str(place), str(table), part_size=2, **FAST)
    assert (more.done, more.there) == (1, 5)
    assert {name: contents(table)[name] for name in parts} == parts
    assert once(table) and len(by_recording(table)) == 6


def test_what_failed_is_done_again_on_demand(folder: Callable[..., Path], tmp_path: Path, here: None) -> None:
    place, table = folder("a.flac"), tmp_path / "turns"
    (place / "b.wav").write_text("no audio")
    (place / "c.wav").write_text("no audio either")
    for size in (2, 2):
        summary = voiceflow_batch.run(str(place), str(table), part_size=size, **FAST)
    assert (summary.done, summary.there) == (0, 3)
    shutil.copyfile(RECORDING, place / "b.wav")
    summary = voiceflow_batch.run(str(place), str(table), retry_failed=True, **FAST)
    assert (summary.done, summary.there, summary.failed) == (2, 1, 1)
    found = by_recording(table)
    assert once(table) and len(found[str(place / "b.wav")]) == len(found[str(place / "a.flac")])
    assert [row["status"] for row in found[str(place / "c.wav")]] == ["failed"]


def test_a_list_of_recordings(folder: Callable[..., Path], tmp_path: Path, here: None) -> None:
    place, table, text = folder("a.flac", "b.flac"), tmp_path / "turns", tmp_path / "list.txt"
    text.write_text(f"{place}/a.flac\n\n{place}/gone.flac\n{place}/a.flac\n")
    summary = voiceflow_batch.run(str(text), str(table), **FAST)
    assert (summary.found, summary.done, summary.failed) == (2, 2, 1)
    assert "gone.flac" in by_recording(table)[str(place / "gone.flac")][0]["error"]
    single = voiceflow_batch.run(str(place / "b.flac"), str(table), **FAST)
    assert (single.found, single.done) == (1, 1) and len(by_recording(table)) == 3


def test_an_address_that_no_store_takes(
    folder: Callable[..., Path], tmp_path: Path, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Refused before anything is asked: nobody listens there.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody")
    place, table, text = folder("a.flac"), tmp_path / "turns", tmp_path / "list.txt"
    text.write_text(f"{place}/a.flac\ns3://bucket/a//b.wav\n")
    summary = voiceflow_batch.run(str(text), str(table), **FAST)
    assert (summary.found, summary.done, summary.failed, summary.missing) == (2, 2, 1, 0)
    (refused,) = by_recording(table)["s3://bucket/a//b.wav"]
    assert refused["status"] == "failed" and "bucket/a//b.wav" in refused["error"]
    assert {row["status"] for row in by_recording(table)[str(place / "a.flac")]} == {"ok"}


def test_parts_of_other_recordings_have_other_names() -> None:
    parts = (["/a\n/b"], ["/a", "/b"], ["/b", "/a"], ['/a", "/b'], ["/a, /b"], ["/a"], ["/ä"])
    names = [_table.part_name(part) for part in parts]
    assert len(set(names)) == len(parts)
    assert all(_table.PART.fullmatch(name) for name in names)


def test_a_recording_that_kills_its_worker_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_on_local, "do_part", do_part_or_die)
    place, table = tmp_path / "meetings", tmp_path / "turns"
    place.mkdir()
    names = [f"{number}.wav" for number in range(4)]
    for name in (f"0-{DEADLY}.wav", *names):
        silence(place / name)
    summary = voiceflow_batch.run(str(place), str(table), workers=2, part_size=1, **FAST)
    assert (summary.found, summary.done, summary.missing) == (5, 4, 1)
    (error,) = summary.errors
    assert f"a worker died 3 times at one of its recordings, from {place}/0-{DEADLY}.wav on" in error
    assert sorted(by_recording(table)) == [str(place / name) for name in names] and once(table)


def test_a_recording_that_takes_too_long(folder: Callable[..., Path], tmp_path: Path, here: None) -> None:
    table = tmp_path / "turns"
    summary = voiceflow_batch.run(str(folder("a.flac")), str(table), deadline_s=0.002, **FAST)
    assert summary.failed == 1 and "deadline" in rows(table)[0]["error"]


def test_what_a_killed_writer_left(folder: Callable[..., Path], tmp_path: Path, here: None) -> None:
    place, table = folder("a.flac"), tmp_path / "turns"
    table.mkdir()
    left = table / ".unfinished-part-0.parquet-x"
    left.write_bytes(b"PAR1 and no more")
    assert voiceflow_batch.run(str(place), str(table), **FAST).done == 1
    assert not left.exists() and once(table)


def test_a_table_that_is_none(folder: Callable[..., Path], tmp_path: Path, here: None) -> None:
    place, table = folder("a.flac", "b.flac"), tmp_path / "turns"
    voiceflow_batch.run(str(place), str(table), part_size=2, **FAST)
    (part,) = table.iterdir()
    # As where two jobs have written at once.
    shutil.copyfile(part, table / f"part-{'0' * 32}.parquet")
    with pytest.raises(BatchError, match="expected each recording in one part, found .*a.flac in part-0"):
        voiceflow_batch.run(str(place), str(table), **FAST)
    (table / f"part-{'0' * 32}.parquet").write_bytes(b"cut off")
    with pytest.raises(BatchError, match="where it is removed, its recordings are done again"):
        voiceflow_batch.run(str(place), str(table), **FAST)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"engine": "dask"}, "engine: expected one of local, ray, spark, beam, got dask"),
        ({"workers": 0}, "workers: expected 1 or more, got 0"),
        ({"part_size": 0}, "part_size: expected 1 to 10,000, got 0"),
        ({"deadline_s": -1.0}, "deadline_s: expected seconds above 0, got -1.0"),
        ({"source": "https://x/y"}, "https://x/y: expected a path, s3:// or gs://, got https://"),
        ({"output": "s3:///turns"}, "s3:///turns: expected s3://BUCKET/NAME, got no bucket"),
        ({"source": "empty"}, r"empty: expected recordings \(\.3gp, .*\), found no file"),
        ({"bundle": "nowhere"}, "no diarizer can be made: .*nowhere"),
        ({"batches": 3}, "no diarizer can be made: .*batches"),
    ],
)
def test_a_job_that_cannot_begin(
    given: dict[str, Any], said: str, folder: Callable[..., Path], tmp_path: Path, here: None
) -> None:
    arguments = {"source": str(folder("a.flac")), "output": str(tmp_path / "turns")} | FAST | given
    with pytest.raises(BatchError, match=said):
        voiceflow_batch.run(**arguments)
