"""Makes the ONNX fixtures of tests/model: one that keeps the model contract and one for each way to
break it.

Random weights, a few KB each, the same bytes on every run:  python tests/data/models/make_models.py
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE
STEP, WINDOW, HOP, SPEAKERS, DIM, FEATURES = 160, 80000, 8000, 3, 8, 4

METADATA = {
    "voiceflow.contract": "1",
    "voiceflow.name": "fixture",
    "voiceflow.version": "1.2.3",
    "voiceflow.sample_rate": "16000",
    "voiceflow.window_samples": str(WINDOW),
    "voiceflow.hop_samples": str(HOP),
    "voiceflow.frame_step_samples": str(STEP),
    "voiceflow.frame_offset_samples": "80",
    "voiceflow.max_speakers": str(SPEAKERS),
    "voiceflow.embedding_dim": str(DIM),
    "voiceflow.thresholds": json.dumps({"onset": 0.6, "offset": 0.4, "clustering": 0.7, "later": [1, 2]}),
}


def make(
    file,
    metadata=(),
    drop=(),
    input_name="audio",
    input_type=FLOAT,
    input_shape=("batch", "samples"),
    activity_shape=("batch", "frames", SPEAKERS),
    embedding_shape=("batch", SPEAKERS, DIM),
    extra_output=False,
    scale=1.0,
    normalise=True,
    break_nan=False,
    mix_batch=False,
    ignore_batch=False,
    cut_dim=False,
    repeat=0,
    embeddings=DIM,
    pad_end=0,
    loud_frames=False,
):
    """Writes one fixture: strided convolution, activity per frame, activity-weighted mean,
    projection."""
    rng = np.random.default_rng(7)
    weights = {
        "conv_w": rng.normal(0, 0.4, (FEATURES, 1, STEP)),
        "act_w": rng.normal(0, 3.0, (SPEAKERS, FEATURES, 1)),
        "act_b": rng.normal(0, 0.5, (SPEAKERS,)),
        "emb_w": rng.normal(0, 1.0, (FEATURES, embeddings)),
        "emb_b": rng.normal(0, 0.3, (SPEAKERS, embeddings)),
        "eps": np.array([1e-6]),
        "half": np.array([0.5]),
        "scale": np.array([scale]),
    }
    constants = {"axis1": np.array([1], np.int64), "axis2": np.array([2], np.int64)}
    nodes = []

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    audio = input_name
    if input_type != FLOAT:
        audio = node("Cast", [audio], "audio_float", to=FLOAT)
    if len(input_shape) == 3:
        audio = node("Squeeze", [audio, "axis1"], "audio_flat")
    if mix_batch:
        node("ReduceMean", [audio], "batch_mean", axes=[0], keepdims=1)
        audio = node("Add", [audio, "batch_mean"], "audio_mixed")
    node("Unsqueeze", [audio, "axis1"], "wave")
    hidden = node(
        "Conv", ["wave", "conv_w"], "conv", strides=[STEP], **({"pads": [0, pad_end]} if pad_end else {})
    )
    hidden = node("Tanh", [hidden], "hidden0")
    if loud_frames:
        # One frame more where the audio is louder than any real one: nothing but that audio shows
        # it.
        weights["full"], constants["none"] = np.array([1.0]), np.array([0, 0, 0, 0, 0], np.int64)
        node("ReduceMax", [audio], "loudest", keepdims=0)
        node("Greater", ["loudest", "full"], "too_loud")
        node("Cast", ["too_loud"], "more", to=TensorProto.INT64)
        node("Concat", ["none", "more"], "pads", axis=0)
        hidden = node("Pad", [hidden, "pads"], "padded")
    if repeat:
        # One initializer for all: much work, few bytes. ONNX Runtime looks at its stop flag between
        # nodes.
        weights["deep_w"] = rng.normal(0, 0.2, (FEATURES, FEATURES, 129))
        for i in range(repeat):
            node("Conv", [hidden, "deep_w"], f"deep{i}", pads=[64, 64])
            hidden = node("Tanh", [f"deep{i}"], f"hidden{i + 1}")
    node("Conv", [hidden, "act_w", "act_b"], "logits")
    node("Sigmoid", ["logits"], "prob")  # [B, S, F]
    node("Transpose", ["prob"], "prob_t", perm=[0, 2, 1])
    node("Mul", ["prob_t", "scale"], "activity")
    if ignore_batch:
        constants["zero"] = np.array([0], np.int64)
        nodes[-1].output[0] = "activity_all"
        node("Gather", ["activity_all", "zero"], "activity", axis=0)
    node("Transpose", [hidden], "hidden_t", perm=[0, 2, 1])  # [B, F, C]
    node("MatMul", ["prob", "hidden_t"], "sums")  # [B, S, C]
    node("ReduceSum", ["prob", "axis2"], "weight", keepdims=1)
    node("Add", ["weight", "eps"], "weight_eps")
    node("Div", ["sums", "weight_eps"], "mean")
    node("MatMul", ["mean", "emb_w"], "projected")
    node("Add", ["projected", "emb_b"], "raw")
    node("ReduceL2", ["raw"], "norm", axes=[2], keepdims=1)
    node("Add", ["norm", "eps"], "norm_eps")
    node("Div", ["raw", "norm_eps"], "unit")
    node("ReduceMax", ["prob"], "peak", axes=[2], keepdims=1)
    node("Greater", ["peak", "half"], "speaks")
    node("Cast", ["speaks"], "mask", to=FLOAT)
    last = node("Mul", ["unit" if normalise else "raw", "mask"], "masked")
    if break_nan:
        node("Sub", ["peak", "peak"], "zeros")
        node("Div", ["zeros", "zeros"], "nans")
        last = node("Add", [last, "nans"], "spoiled")
    if cut_dim:
        # A size that depends on values: nothing but a run shows it.
        weights["none"], constants["begin"] = np.array([0.0]), np.array([0], np.int64)
        constants["kept"] = np.array([DIM - 2], np.int64)
        node("ReduceMax", ["peak"], "loudest", axes=[0, 1, 2], keepdims=0)
        node("Mul", ["loudest", "none"], "nothing_float")
        node("Cast", ["nothing_float"], "nothing", to=TensorProto.INT64)
        node("Add", ["kept", "nothing"], "end")
        last = node("Slice", [last, "begin", "end", "axis2"], "cut")
    node("Identity", [last], "embedding")

    outputs = [
        helper.make_tensor_value_info("activity", FLOAT, activity_shape),
        helper.make_tensor_value_info("embedding", FLOAT, embedding_shape),
    ]
    if extra_output:
        outputs.append(helper.make_tensor_value_info("logits", FLOAT, None))
    initializers = [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()]
    initializers += [numpy_helper.from_array(v, k) for k, v in constants.items()]
    graph = helper.make_graph(
        nodes,
        "fixture",
        [helper.make_tensor_value_info(input_name, input_type, input_shape)],
        outputs,
        initializers,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="make_models.py"
    )
    model.ir_version = 9
    properties = {**METADATA, **dict(metadata)}
    helper.set_model_props(model, {k: v for k, v in properties.items() if k not in drop})
    onnx.save(model, HERE / file)


if __name__ == "__main__":
    make("good.onnx")
    make("slow.onnx", repeat=300)
    # Broken metadata.
    make("no_metadata.onnx", drop=METADATA)
    make("no_thresholds.onnx", drop=["voiceflow.thresholds"])
    make("wrong_contract.onnx", metadata={"voiceflow.contract": "2"})
    make(
        "bad_numbers.onnx",
        metadata={
            "voiceflow.version": "one",
            "voiceflow.sample_rate": "8000",
            "voiceflow.window_samples": "960001",
            "voiceflow.hop_samples": "0",
            "voiceflow.frame_step_samples": "-160",
            "voiceflow.max_speakers": "17",
            "voiceflow.embedding_dim": "many",
            "voiceflow.thresholds": '{"onset": 1.5, "clustering": "low"}',
        },
    )
    make("wrong_tuning.onnx", metadata={"voiceflow.tuning": '{"trusted_s": 1.0, "live_window_s": 0}'})
    make("later_tuning.onnx", metadata={"voiceflow.tuning": '{"echo_s": 1.0}'})
    # Broken tensors.
    make("wrong_input.onnx", input_name="waveform")
    make("wrong_type.onnx", input_type=DOUBLE)
    make("fixed_batch.onnx", input_shape=(1, "samples"))
    make("wrong_rank.onnx", input_shape=("batch", 1, "samples"))
    make("wrong_speakers.onnx", metadata={"voiceflow.max_speakers": "4"})
    make("wrong_dim.onnx", embeddings=6, embedding_shape=("batch", SPEAKERS, 6))
    make("extra_output.onnx", extra_output=True)
    # Broken behaviour, seen only when the network runs.
    make("wrong_step.onnx", metadata={"voiceflow.frame_step_samples": str(2 * STEP)})
    make("part_frames.onnx", pad_end=STEP - 1)
    make("loud_frames.onnx", loud_frames=True)
    make("hidden_dim.onnx", cut_dim=True, embedding_shape=("batch", "speakers", "dim"))
    make("activity_range.onnx", scale=3.0)
    make("not_unit.onnx", normalise=False)
    make("nan.onnx", break_nan=True)
    make("mixed_batch.onnx", mix_batch=True)
    make("lost_batch.onnx", ignore_batch=True)
