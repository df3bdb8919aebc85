"""The numbers of an evaluation: error rates, trials, RTTM, multiply-adds, times."""

import json
from hashlib import sha256

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from scipy.special import ndtr
from tiny_model import write_tiny_model
from voiceflow_models.data.simulate import SPEECH_RMS
from voiceflow_models.data.sources import VAD_STEP, Speaker
from voiceflow_models.evaluation import identification, latency, multiply_adds, operators, rttm, verification
from voiceflow_models.evaluation.det import trade_off
from voiceflow_models.evaluation.diarization import rates
from voiceflow_models.evaluation.report import PAIR, diarization_table, facts, keep, resolve
from voiceflow_models.layout import FRAME_STEP, SAMPLE_RATE

LINE = "SPEAKER talk 1 {} {} <NA> <NA> {} <NA> <NA>\n"


def brute_force_equal_error(same, different):
    """The middle of the two error rates at the threshold where they differ least."""
    errors = [((same < t).mean(), (different >= t).mean()) for t in np.concatenate([same, different])]
    return np.mean(min(errors, key=lambda pair: abs(pair[0] - pair[1])))


@pytest.mark.parametrize("distance", [0.5, 2.0, 4.0])
def test_the_equal_error_of_two_normal_distributions(distance):
    random = np.random.default_rng(1)
    same, different = random.normal(distance, 1, 3000), random.normal(0, 1, 5000)
    rate, threshold = trade_off(same, different).equal_error()
    assert abs(rate - brute_force_equal_error(same, different)) < 1 / 3000
    assert abs(rate - ndtr(-distance / 2)) < 0.015
    assert abs(threshold - distance / 2) < 0.15


def test_the_equal_error_lies_between_two_thresholds():
    # From threshold 2 to 3, missed rises from 1/3 to 2/3 and false alarm stays 1/2: they cross half
    # way.
    rate, threshold = trade_off(np.array([1.0, 2.0, 4.0]), np.array([0.0, 3.0])).equal_error()
    assert (rate, threshold) == (pytest.approx(0.5), pytest.approx(2.5))


@pytest.mark.parametrize(
    ("same", "different", "expected"), [([2, 3], [0, 1], 0), ([0, 1], [2, 3], 1), ([1], [1], 0.5)]
)
def test_the_equal_error_of_extremes(same, different, expected):
    assert trade_off(np.array(same, float), np.array(different, float)).equal_error()[0] == pytest.approx(
        expected
    )


def test_a_sampled_curve_keeps_the_rates():
    random = np.random.default_rng(4)
    false_alarm, miss = trade_off(random.normal(2, 1, 20_000), random.normal(0, 1, 20_000)).sampled()
    assert np.all(np.diff(false_alarm) > 0) and np.all(np.diff(miss) <= 0)
    middle = len(miss) // 2
    assert false_alarm[middle] == pytest.approx(0.5)
    assert miss[middle] == pytest.approx(ndtr(-2), abs=0.005)


def test_scores_that_are_missing_or_no_numbers_are_refused():
    with pytest.raises(ValueError, match="same: expected at least one"):
        trade_off(np.array([]), np.array([1.0]))
    with pytest.raises(ValueError, match="different: .* finite"):
        trade_off(np.array([1.0]), np.array([np.nan]))


def test_weights_count_as_repetitions():
    random = np.random.default_rng(6)
    same, different = random.normal(1, 1, 40), random.normal(0, 1, 50)
    heavy, light = random.integers(1, 5, 40), random.integers(1, 5, 50)
    weighted = trade_off(same, different, heavy, light)
    repeated = trade_off(same.repeat(heavy), different.repeat(light))
    assert np.allclose(weighted.miss, repeated.miss)
    assert weighted.equal_error() == pytest.approx(repeated.equal_error())


def cuts_of(speaker, start):
    """Cuts of which only their owner and place matter."""
    return verification.Cuts(np.empty(0), np.empty(0), np.array(speaker), np.array(start))


def test_silent_cuts_are_counted_and_left_out():
    embeddings = np.array([[1, 0], [2, 0], [0, 0], [0, 3], [0, 1]], float)
    result = verification.compare(embeddings, cuts_of([0, 0, 0, 1, 1], [0, 200, 400, 0, 200]))
    assert (result.cuts, result.silent, result.same, result.different) == (5, 1, [1, 1], 4)
    assert result.det.equal_error()[0] == 0


def test_cuts_of_one_speaker_that_overlap_are_no_trial():
    embeddings = np.eye(5)
    result = verification.compare(embeddings, cuts_of([0, 0, 0, 1, 1], [0, 199, 400, 0, 199]))
    assert (result.same, result.different) == ([2, 0], 6)


def test_every_speaker_counts_alike():
    # Speaker 0 is always identified in many trials, speaker 1 never in a single one.
    embeddings = np.array([[1, 0, 0, 0]] * 8 + [[0, 1, 0, 0], [0, 0, 1, 0]], float)
    result = verification.compare(embeddings, cuts_of([0] * 8 + [1] * 2, [200 * i for i in range(10)]))
    assert result.same == [28, 1]
    strict = int(np.argmax(result.det.thresholds > 0.5))
    assert result.det.miss[strict] == pytest.approx(0.5)


def test_cuts_are_whole_and_start_where_somebody_speaks():
    seconds = 60
    word = np.tile(np.repeat([1, 0], [70, 30]), seconds).astype(bool)
    audio = np.random.default_rng(1).normal(0, 2000, seconds * SAMPLE_RATE).astype(np.int16)
    speaker = Speaker("one", "test", audio, word)
    cuts = verification.clean_cuts([speaker, speaker], 20, seed=3)
    assert np.bincount(cuts.speaker).tolist() == [20, 20]
    assert cuts.audio.shape == (40, verification.CUT_SAMPLES)
    assert cuts.talking.shape == (40, verification.CUT_SAMPLES // FRAME_STEP)
    assert set(cuts.start) <= set(speaker.onsets)
    assert cuts.talking[:, 0].all() and 0.6 < cuts.talking.mean() < 0.8
    assert np.sqrt((cuts.audio**2).mean()) == pytest.approx(SPEECH_RMS, rel=0.1)
    again = verification.clean_cuts([speaker, speaker], 20, seed=3)
    assert np.array_equal(cuts.audio, again.audio)


def test_a_levelled_encoder_does_not_depend_on_loudness():
    audio = np.random.default_rng(2).standard_normal(1000).astype(np.float32)
    encode = verification.levelled(lambda sound: sound[:3])
    assert np.allclose(encode(audio * 0.001), encode(audio), rtol=1e-4)
    assert not encode(np.zeros(1000, np.float32)).any()


def test_other_speech_serves_where_onsets_run_out():
    speech = np.zeros(1000, bool)
    speech[100:400] = speech[500:900] = True
    speaker = Speaker("brief", "test", np.ones(1000 * VAD_STEP, np.int16), speech)
    chosen = verification.starts(np.random.default_rng(0), speaker, 8)
    assert set(chosen[:2]) == {100, 500} and len(chosen) > 5
    assert speech[chosen].all() and max(chosen) < 800
    assert np.diff(np.sort(chosen)).min() >= verification.STEP_FRAMES


def test_rttm_is_read_by_recording(tmp_path):
    text = "; a comment\nSPKR-INFO talk 1 <NA> <NA> <NA> unknown b <NA> <NA>\n\n"
    (tmp_path / "talk.rttm").write_text(text + LINE.format(2.5, 1, "b") + LINE.format(0.25, 0.5, "a"))
    (tmp_path / "silence.rttm").write_text("")
    turns = rttm.read_folder(tmp_path)
    assert turns == {
        "talk": [rttm.Turn("talk", "b", 2.5, 3.5), rttm.Turn("talk", "a", 0.25, 0.75)],
        "silence": [],
    }
    assert rttm.speakers(turns["talk"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("SPEAKER talk 1 0.5\n", "x.rttm:1: expected at least 8 fields, got 4"),
        (LINE.format("soon", 1, "a"), "x.rttm:1: expected start and duration in seconds"),
        (LINE.format(1, -1, "a"), "x.rttm:1: expected start and duration of at least 0 s"),
        (LINE.format("nan", 1, "a"), "x.rttm:1: expected start and duration of at least 0 s"),
    ],
)
def test_bad_rttm_is_refused_with_its_place(tmp_path, line, message):
    path = tmp_path / "x.rttm"
    path.write_text(line)
    with pytest.raises(ValueError, match=message):
        rttm.read(path)


def test_speakers_are_paired_for_the_most_time_in_all():
    reference = [rttm.Turn("r", "a", 0, 10), rttm.Turn("r", "b", 10, 14)]
    # "x" shares most with "a", but so does "y", which shares nothing with "b".
    found = [rttm.Turn("r", "x", 5, 14), rttm.Turn("r", "y", 0, 4), rttm.Turn("r", "z", 20, 30)]
    assert rttm.paired(reference, found) == {"x": "b", "y": "a"}
    assert rttm.paired([], found) == {}


def test_rates_of_a_recording_without_speech_are_absent():
    scored = {
        "reference_s": 10.0,
        "missed_s": 1.0,
        "false_alarm_s": 2.0,
        "confusion_s": 0.5,
        "der": 0.35,
        "jer": 0.4,
    }
    assert rates(scored) == {"der": 0.35, "missed": 0.1, "false_alarm": 0.2, "confusion": 0.05, "jer": 0.4}
    silent = rates({**scored, "reference_s": 0.0, "der": None, "jer": None})
    assert set(silent.values()) == {None}
    entry = {"recording": "quiet", **silent, "found_speakers": 1, "reference_speakers": 0}
    result = {"overall": silent, "recordings": [entry], "count_right": 0, "count_of": 1}
    assert "| quiet | – | – | – | – | – | 1 of 0 |" in diarization_table("folder", result)


def test_variants_have_a_row_of_their_own():
    shares = dict.fromkeys(("der", "missed", "false_alarm", "confusion", "jer"), 0.25)
    whole = {"overall": shares, "count_right": 1, "count_of": 2}
    result = {**whole, "recordings": [], "variants": {"model.int8.onnx": {**whole, "count_right": 2}}}
    lines = diarization_table("folder", result).splitlines()
    figures = "| 25.0 | 25.0 | 25.0 | 25.0 | 25.0 |"
    assert lines[2:] == [
        f"| overall {figures} right in 1 of 2 |",
        f"| model.int8.onnx {figures} right in 2 of 2 |",
    ]


def test_a_report_is_kept_beside_what_the_export_found(tmp_path):
    path = tmp_path / "validation_report.json"
    keep({"latency": 1}, path)
    assert json.loads(path.read_text()) == {"evaluation": {"latency": 1}}
    path.write_text('{"allowed": 0.1, "evaluation": {"latency": 1}}')
    keep({"latency": 2}, path)
    assert json.loads(path.read_text()) == {"allowed": 0.1, "evaluation": {"latency": 2}}


def test_a_report_says_which_files_of_a_pair_were_measured(tmp_path):
    for name, contents in (("segmentation.onnx", b"one"), ("embedding.onnx", b"three")):
        (tmp_path / name).write_bytes(contents)
    with pytest.raises(SystemExit, match=r"expected a bundle with .*, found no metadata\.json"):
        facts(resolve(tmp_path))
    (tmp_path / "metadata.json").write_text('{"name": "both", "version": "1.0.0"}')
    assert facts(resolve(tmp_path)) == {
        "name": "both",
        "version": "1.0.0",
        "bytes": 8,
        "files": {name: sha256((tmp_path / name).read_bytes()).hexdigest() for name in PAIR},
    }
    # A joint model may be named by its folder.
    one = write_tiny_model(tmp_path / "model.onnx")
    assert resolve(tmp_path) == resolve(one) == one
    assert facts(one)["sha256"] == sha256(one.read_bytes()).hexdigest()


def graph(tmp_path, nodes, weights, shape, outputs):
    """A model file with input ``x`` of dynamic ``shape`` and float32 weights of given shapes."""
    values = [helper.make_tensor(n, TensorProto.FLOAT, s, np.ones(s).ravel()) for n, s in weights.items()]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    start = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    body = helper.make_graph(nodes, "g", [start], ends, values)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    return path


def test_multiply_adds_of_convolutions(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["h"], strides=[2], group=2),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("ConvTranspose", ["r", "t"], ["y"], strides=[2]),
    ]
    path = graph(tmp_path, nodes, {"w": [6, 2, 5], "t": [6, 3, 4]}, ["b", 4, "n"], ["y"])
    # 21 samples make (21 - 5) / 2 + 1 = 9 frames.
    counts = multiply_adds.multiply_adds(path, (2, 4, 21))
    assert counts == {"Conv": 2 * 6 * 9 * 2 * 5, "ConvTranspose": 2 * 6 * 9 * 3 * 4}


def test_multiply_adds_of_products(tmp_path):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Flatten", ["h"], ["f"], axis=2),
        helper.make_node("Gemm", ["f", "v"], ["y"], transA=1),
    ]
    path = graph(tmp_path, nodes, {"w": [7, 5], "v": [6, 4]}, ["b", "n", 7], ["y"])
    counts = multiply_adds.multiply_adds(path, (2, 3, 7))
    assert counts == {"MatMul": 2 * 3 * 7 * 5, "Gemm": 5 * 6 * 4}


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_multiply_adds_of_recurrent_layers(tmp_path, kind, gates):
    node = helper.make_node(kind, ["x", "w", "r"], ["y"], hidden_size=8, direction="bidirectional")
    weights = {"w": [2, gates * 8, 5], "r": [2, gates * 8, 8]}
    path = graph(tmp_path, [node], weights, ["n", "b", 5], ["y"])
    counts = multiply_adds.multiply_adds(path, (11, 3, 5))
    assert counts == {kind: 11 * 3 * 2 * gates * 8 * (5 + 8)}


def test_shapes_that_are_computed_are_followed(tmp_path):
    weights = {"w": [1, 1, 3], "v": [4, 4]}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["h"], pads=[1, 1]),
        helper.make_node("Shape", ["h"], ["s"], start=2, end=3),
        helper.make_node("Constant", [], ["four"], value_ints=[4]),
        helper.make_node("Div", ["s", "four"], ["rows"]),
        helper.make_node("Concat", ["rows", "four"], ["target"], axis=0),
        helper.make_node("Reshape", ["h", "target"], ["m"]),
        helper.make_node("MatMul", ["m", "v"], ["y"]),
    ]
    path = graph(tmp_path, nodes, weights, [1, 1, "n"], ["y"])
    assert multiply_adds.multiply_adds(path, (1, 1, 20)) == {"Conv": 20 * 3, "MatMul": 5 * 4 * 4}


def test_a_shape_that_depends_on_the_samples_is_refused(tmp_path):
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["loudest"], axes=[1], keepdims=0),
        helper.make_node("Greater", ["loudest", "k"], ["loud"]),
        helper.make_node("Compress", ["x", "loud"], ["h"], axis=0),
        helper.make_node("MatMul", ["h", "w"], ["y"]),
    ]
    path = graph(tmp_path, nodes, {"w": [7, 5], "k": [1]}, ["n", 7], ["y"])
    with pytest.raises(ValueError, match="expected a fixed shape of .* \\(MatMul\\)"):
        multiply_adds.multiply_adds(path, (4, 7))


def test_an_input_with_other_axes_is_refused(tmp_path):
    path = graph(tmp_path, [helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": [7, 5]}, ["n", 7], ["y"])
    with pytest.raises(ValueError, match="expected an input with 3 axes, found 2"):
        multiply_adds.multiply_adds(path, (1, 2, 7))


def test_the_profile_finds_the_expensive_operator(tmp_path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Sin", ["h"], ["y"])]
    path = graph(tmp_path, nodes, {"w": [256, 256]}, ["n", 256], ["y"])
    found = operators.shares(path, np.ones((512, 256), np.float32))
    assert set(found) == {"MatMul", "Sin"}
    assert sum(found.values()) == pytest.approx(1)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_runs_alternate():
    order = []
    times = latency.alternate([lambda: order.append("a"), lambda: order.append("b")], 3)
    assert order == ["a", "b"] * (3 + latency.WARM_UP_ROUNDS)
    assert [len(rounds) for rounds in times] == [3, 3]


def test_ratios_are_those_of_a_second_of_audio():
    reference = latency.Timed("r", "reference", 10, np.array([100.0, 50.0, 120.0]))
    entry = latency.Timed("m", "model", 3, np.array([6.0, 9.0, 3.0])).report(reference)
    assert entry["median_ms_per_second"] == pytest.approx(2.0)
    assert entry["median_ratio"] == pytest.approx(0.2)
    assert entry["least_ratio"] == pytest.approx(0.2)
    assert "median_ratio" not in latency.Timed("m", "model", 3, np.ones(3)).report(None)


def test_every_speaker_counts_alike_in_what_is_identified():
    known = [identification.Trial("a", "a", 0.9)] * 3 + [identification.Trial("a", "b", 0.7)]
    known += [identification.Trial("b", "b", 0.5), identification.Trial("b", None, -1.0)]
    strangers = [identification.Trial("a", "b", 0.4), identification.Trial("b", "a", 0.6)]
    found = identification.rates(known, strangers, 0.5)
    assert found == identification.Rates(right=(0.75 + 0.5) / 2, wrong=0.25 / 2, accepted=0.5)
    assert identification.rates(known, strangers, 0.8) == identification.Rates(0.375, 0.0, 0.0)


def test_pieces_share_no_sample_and_leave_half_for_identification():
    def of(seconds):
        speech = np.ones(seconds * 100, bool)
        speaker = Speaker("a", "c", np.ones(seconds * SAMPLE_RATE, np.int16), speech)
        return [(start / SAMPLE_RATE, end / SAMPLE_RATE) for start, end in identification.pieces(speaker)]

    assert of(52) == [(0, 20), (20, 30), (30, 40), (40, 50)]
    assert of(12) == [(0, 6), (6, 12)]
