"""Results."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import re
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from conftest import ROOT
from libvoiceflow import ClosedError, Diarization, Diarizer, Gallery, InvalidArgumentError, Segment

matplotlib.use("Agg")


def test_a_sequence(result: Diarization) -> None:
    segments = list(result)
    assert len(segments) == len(result) and all(isinstance(segment, Segment) for segment in segments)
    assert result[0] == segments[0] and result[-1] == segments[-1] and result[2:5] == segments[2:5]
    assert segments[3] in result and result.index(segments[3]) == 3
    assert list(reversed(result)) == segments[::-1]
    with pytest.raises(IndexError):
        result[len(segments)]
    assert [segment.start for segment in segments] == sorted(segment.start for segment in segments)
    for segment in segments:
        assert 0 <= segment.start < segment.end <= result.duration and 0 <= segment.confidence <= 1
        assert segment.final and segment.speaker == f"SPEAKER_{segment.speaker_index:02}"
        assert segment.duration == segment.end - segment.start
    assert {segment.overlap for segment in segments} == {True, False}


def test_the_array(result: Diarization) -> None:
    array = result.segments
    assert array is result.segments and array.dtype.itemsize == 32 and not array.flags.writeable
    assert array["start_s"].tolist() == [segment.start for segment in result]
    assert array["speaker"].tolist() == [segment.speaker_index for segment in result]
    assert (array["flags"] & 1).astype(bool).tolist() == [segment.overlap for segment in result]
    assert not array["reserved"].any()


def test_speakers(result: Diarization, diarizer: Diarizer) -> None:
    assert [speaker.label for speaker in result.speakers] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]
    for speaker in result.speakers:
        turns = [segment.duration for segment in result if segment.speaker_index == speaker.index]
        assert abs(speaker.speech_s - sum(turns)) < 1e-6
        assert speaker.embedding.shape == (diarizer.info.embedding_dim,)
        assert abs(np.linalg.norm(speaker.embedding) - 1) < 1e-3
    assert "embedding" not in repr(result.speakers[0])


def test_rttm(result: Diarization) -> None:
    lines = result.to_rttm("a b").splitlines()
    assert len(lines) == len(result)
    for line, segment in zip(lines, result, strict=True):
        fields = line.split()
        assert fields[:3] == ["SPEAKER", "a_b", "1"] and fields[7] == segment.speaker
        assert abs(float(fields[3]) - segment.start) < 1e-3


def test_copies_are_equal(result: Diarization, diarizer: Diarizer) -> None:
    for other in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert other is not result and other == result and hash(other) == hash(result)
        assert list(other) == list(result) and other.speakers == result.speakers
        assert other.duration == result.duration and repr(other) == repr(result)
        for embeddings in (False, True):
            assert other.to_json("x", embeddings=embeddings) == result.to_json("x", embeddings=embeddings)
        other.close()
        assert other != result and len(result) > 0
    gallery = Gallery(diarizer)
    gallery.enroll("ada", result.speakers[0])
    assert gallery.identify(pickle.loads(pickle.dumps(result))) == gallery.identify(result)
    nobody = diarizer.process(np.zeros(16_000, np.float32), 16_000)
    assert copy.deepcopy(nobody) == nobody != result and nobody != list(nobody)


def test_a_result_crosses_to_another_process(recording: Path) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        result = pool.submit(diarized, recording).result()
    with Diarizer(bundle="fast-cnn", threads=1) as diarizer:
        assert result == diarizer.process(recording)


def diarized(recording: Path) -> Diarization:
    """In the other process."""
    with Diarizer(bundle="fast-cnn", threads=1) as diarizer:
        return diarizer.process(recording)


def test_results_that_were_tampered_with_are_refused(result: Diarization) -> None:
    make, (duration, segments, voices, speakers) = result.__reduce__()
    for parts in ((0.0, segments, voices, speakers), (duration, segments, b"", 0)):
        with pytest.raises(InvalidArgumentError, match="segments: segment 0: "):
            make(*parts)


def test_reprs(result: Diarization) -> None:
    assert re.fullmatch(r"<Diarization: 52\.5 s, \d+ segments, 3 speakers>", repr(result))
    assert re.fullmatch(
        r"<Segment: 0\.\d\d to \d\.\d\d s, SPEAKER_00, confidence [01]\.\d\d>", repr(result[0])
    )
    assert any(", overlap>" in repr(segment) for segment in result)
    assert re.fullmatch(r"<Speaker: SPEAKER_00, \d+\.\d s of speech>", repr(result.speakers[0]))


def test_json(result: Diarization) -> None:
    told: dict[str, Any] = json.loads(result.to_json("größe"))
    assert len(told["segments"]) == len(result) and len(told["speakers"]) == 3
    assert "größe" in json.dumps(told, ensure_ascii=False)
    # Voices leave the library only where they are asked for.
    assert all("embedding" not in speaker for speaker in told["speakers"])
    told = json.loads(result.to_json("größe", embeddings=True))
    for speaker, known in zip(told["speakers"], result.speakers, strict=True):
        np.testing.assert_array_equal(np.float32(speaker["embedding"]), known.embedding)


def test_vtt(result: Diarization) -> None:
    text = result.to_vtt()
    assert text.startswith("WEBVTT\n\n") and text.count("<v SPEAKER_") == len(result)


def test_srt(result: Diarization) -> None:
    assert result.to_srt().count("-->") == len(result)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", 7, None])
def test_bad_names(result: Diarization, name: object) -> None:
    with pytest.raises(InvalidArgumentError, match="name: expected a"):
        result.to_rttm(name)  # type: ignore[arg-type]


def test_the_error_rate_is_small(recording: Path) -> None:
    """Against the reference, by pyannote's own metric: the annotation says the same as the result,
    of which no turn is dropped."""
    from pyannote.core import Annotation
    from pyannote.core import Segment as Stretch
    from pyannote.metrics.diarization import DiarizationErrorRate

    reference = Annotation()
    for track, line in enumerate((ROOT / "examples/data/conversation.rttm").read_text().splitlines()):
        fields = line.split()
        start, duration = float(fields[3]), float(fields[4])
        reference[Stretch(start, start + duration), track] = fields[7]
    with Diarizer(bundle="fast-cnn", min_speech_s=0) as diarizer:
        result = diarizer.process(recording)
    annotation = result.to_annotation("conversation")
    assert annotation.uri == "conversation" and len(annotation) == len(result)
    assert sorted(annotation.labels()) == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]
    assert DiarizationErrorRate()(reference, annotation) < 0.15


def test_plot(result: Diarization) -> None:
    from matplotlib import pyplot

    axes = result.plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "SPEAKER_00",
        "SPEAKER_01",
        "SPEAKER_02",
    ]
    bars = sum(len(collection.get_paths()) for collection in axes.collections)
    assert bars == len(result)
    mine = pyplot.subplots()[1]
    assert result.plot(ax=mine) is mine and len(mine.collections) == 3
    pyplot.close("all")


def test_the_labels_of_a_plot_are_not_cut(result: Diarization) -> None:
    from matplotlib import pyplot

    axes = result.plot()
    figure = axes.figure
    figure.canvas.draw()
    whole = figure.bbox
    for label in (*axes.get_yticklabels(), *axes.get_xticklabels(), axes.xaxis.label):
        box = label.get_window_extent()
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1, label
        assert whole.y0 <= box.y0 and box.y1 <= whole.y1, label
    pyplot.close("all")


def test_the_timeline(result: Diarization) -> None:
    svg = ElementTree.fromstring(result._repr_html_())
    name = "{http://www.w3.org/2000/svg}"
    bars = svg.findall(f"{name}rect")
    assert len(bars) == len(result)
    titles = [bar.findtext(f"{name}title") or "" for bar in bars]
    assert titles[0].startswith(f"SPEAKER_00 {result[0].start:.2f} to {result[0].end:.2f} s")
    width = float(svg.attrib["viewBox"].split()[2])
    assert all(0 < float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width for bar in bars)
    words = [text.text or "" for text in svg.findall(f"{name}text")]
    assert "0:50" in words and any(word.startswith("SPEAKER_02 (") for word in words)


def test_closed(diarizer: Diarizer) -> None:
    result = diarizer.process(np.zeros(16_000, np.float32), 16_000)
    segments = result.segments
    with result:
        assert not result.closed
    result.close()
    assert result.closed and "closed" in repr(result) and segments.size == 0
    for use in (
        lambda: result.segments,
        lambda: len(result),
        lambda: result.to_srt(),
        lambda: result.to_vtt(),
        lambda: result.speakers,
    ):
        with pytest.raises(ClosedError, match="this Diarization was closed"):
            use()
