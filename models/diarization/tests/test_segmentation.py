"""segmentation-3.0 trained on: the file and the network agree, windows are cut with their labels,
and training learns, can be broken off, and leaves SincNet alone."""

import csv
from itertools import islice

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to train; install models/diarization")

import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from onnx import numpy_helper  # noqa: E402
from test_data import Hiss, speaker  # noqa: E402
from train_segmentation import read_arguments  # noqa: E402
from voiceflow_models.data import rooms  # noqa: E402
from voiceflow_models.data.corpora.reference import Turn  # noqa: E402
from voiceflow_models.data.simulate import make_voices  # noqa: E402
from voiceflow_models.data.stretches import (  # noqa: E402
    FRAMES,
    MOST_SPEAKERS,
    WINDOW_SAMPLES,
    Stretches,
    Window,
    window_classes,
    write_shard,
)
from voiceflow_models.data.timings import Meeting  # noqa: E402
from voiceflow_models.layout import FRAME_STEP, POWERSET  # noqa: E402
from voiceflow_models.networks import segmentation  # noqa: E402
from voiceflow_models.powerset import CLASS_OF  # noqa: E402
from voiceflow_models.teachers.segmentation import window_features  # noqa: E402
from voiceflow_models.training.segmentation import StretchPool, Training, between, targets  # noqa: E402
from voiceflow_public.packages import MODELS  # noqa: E402

PUBLISHED = MODELS / "segmentation-3.0.onnx"
pytestmark = pytest.mark.skipif(not PUBLISHED.exists(), reason="run scripts/fetch_segmentation.sh")


def loud(seed: int) -> np.ndarray:
    """In which of ten seconds a window is loud."""
    return np.random.default_rng(seed).random(10) < 0.5


def window(seed: int) -> np.ndarray:
    """Noise, soft or loud for a second."""
    level = np.repeat(np.where(loud(seed), 0.2, 0.002), WINDOW_SAMPLES // 10)
    noise = np.random.default_rng(seed).standard_normal(WINDOW_SAMPLES)
    return (noise * level).astype(np.float32)


def scores(model: "onnx.ModelProto", audio: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {session.get_inputs()[0].name: audio[None, None]})[0]


@pytest.fixture
def shards(tmp_path):
    """Two dozen windows in one shard, in which one speaker talks where it is loud."""
    features = window_features(PUBLISHED)
    folder = tmp_path / "windows"
    folder.mkdir()
    drawn = (
        Window(window(seed), loud(seed)[10 * np.arange(FRAMES) // FRAMES].astype(np.uint8), seed % 6 == 0)
        for seed in range(24)
    )
    write_shard(folder / "shard-00000.npz", drawn, features, count=24)
    return folder


def training(shards, out, *more: str) -> Training:
    arguments = [
        "--windows",
        shards,
        "--published",
        PUBLISHED,
        "--out",
        out,
        "--batch",
        "4",
        "--report",
        "1",
        *more,
    ]
    return Training(read_arguments([str(argument) for argument in arguments]))


def test_the_network_gives_what_the_file_gives():
    audio = window(1)
    network = segmentation.load(PUBLISHED).eval()
    with torch.no_grad():
        found = network.classes(torch.from_numpy(window_features(PUBLISHED)(audio).copy())[None]).numpy()
    assert found.shape == (1, FRAMES, 7)
    np.testing.assert_allclose(found, scores(onnx.load(PUBLISHED), audio), atol=2e-4)


def test_a_network_that_learned_nothing_is_saved_as_it_was_published():
    saved, published = segmentation.save(segmentation.load(PUBLISHED), PUBLISHED), onnx.load(PUBLISHED)
    for one, other in zip(saved.graph.initializer, published.graph.initializer, strict=True):
        np.testing.assert_array_equal(numpy_helper.to_array(one), numpy_helper.to_array(other))


def test_each_frame_of_a_window_has_the_class_of_its_middle():
    activity = np.zeros((30 * 25, 4), bool)
    activity[300:350, 2] = True  # 12 to 14 s
    activity[325:400, 0] = True  # 13 to 16 s
    found = window_classes(activity, WINDOW_SAMPLES)
    middles = (WINDOW_SAMPLES + 270 * np.arange(FRAMES) + 495) / 16000
    # The one who talks longer comes first.
    expected = np.zeros(FRAMES, int)
    expected[(middles >= 12) & (middles < 14)] = CLASS_OF[(1,)]
    expected[(middles >= 13) & (middles < 16)] = CLASS_OF[(0,)]
    expected[(middles >= 13) & (middles < 14)] = CLASS_OF[(0, 1)]
    assert FRAME_STEP == 640
    np.testing.assert_array_equal(found, expected)


def test_windows_are_cut_out_of_conversations_of_every_kind():
    voices = make_voices([speaker(f"{pitch}", pitch) for pitch in (80.0, 110.0, 140.0, 170.0, 200.0, 230.0)])
    meeting = Meeting("m", "m", [Turn(3.0 * turn, 3.0 * turn + 2.8, "ABC"[turn % 3]) for turn in range(20)])
    stretches = Stretches(voices, rooms.make_bank(2, MOST_SPEAKERS, seed=1), Hiss(), [meeting])
    drawn = list(islice(stretches.windows(np.random.default_rng(1)), 60))
    assert {window.faint for window in drawn} == {False, True}
    for audio, classes, _ in drawn:
        assert audio.shape == (WINDOW_SAMPLES,) and np.abs(audio).max() <= 1
        assert classes.shape == (FRAMES,)
    assert {len(POWERSET[number]) for window in drawn for number in window.classes} == {0, 1, 2}
    again = list(islice(stretches.windows(np.random.default_rng(1)), 4))
    assert all(np.array_equal(one.audio, other.audio) for one, other in zip(drawn, again, strict=False))


def test_a_window_in_which_a_fourth_talks_has_no_classes():
    activity = np.zeros((30 * 25, 4), bool)
    for number in range(4):
        activity[50 * number : 50 * number + 40, number] = True
    assert window_classes(activity, 0) is None
    activity[155:, 3] = False
    assert window_classes(activity, 0) is not None


def test_training_learns_and_leaves_sincnet_alone(shards, tmp_path):
    run = training(shards, tmp_path / "out", "--steps", "12", "--rate", "5e-3", "--labels", "1")
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.run()
    with open(tmp_path / "out" / "curve.csv", newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert len(losses) == 12 and np.mean(losses[-3:]) < 0.7 * np.mean(losses[:3]), losses
    for name, value in run.network.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("sincnet"), name
    published, trained = onnx.load(PUBLISHED), onnx.load(tmp_path / "out" / "segmentation.onnx")
    assert np.abs(scores(published, window(0)) - scores(trained, window(0))).max() > 1e-3


def test_a_run_that_was_broken_off_goes_on_as_the_same_run(shards, tmp_path):
    whole = training(shards, tmp_path / "whole", "--steps", "4")
    whole.run()
    training(shards, tmp_path / "parts", "--steps", "4", "--minutes", "0").run()
    resumed = training(shards, tmp_path / "parts", "--steps", "4", "--resume")
    assert resumed.step == 1
    resumed.run()
    for name, value in whole.averaged.state_dict().items():
        assert torch.equal(value, resumed.averaged.state_dict()[name]), name


def test_labels_say_who_and_the_published_network_how_many():
    published = segmentation.load(PUBLISHED).eval()
    features = torch.from_numpy(window_features(PUBLISHED)(window(2)).copy())[None].expand(2, -1, -1)
    classes = np.full((2, FRAMES), CLASS_OF[(2,)], np.uint8)
    found = targets(published, features, classes, np.array([False, True]), 0.5).numpy()
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-5)
    one = found[0]
    # Half of all is the label's. What the published network gives one speaker belongs to the
    # labelled one.
    assert (one[:, CLASS_OF[(2,)]] >= 0.5 - 1e-5).all()
    assert one[:, [CLASS_OF[(0,)], CLASS_OF[(1,)], CLASS_OF[(0, 1)]]].max() < 1e-2
    assert one[:, CLASS_OF[()]].max() > 0.1
    assert (found[1, :, CLASS_OF[(2,)]] == 1).all()


def test_between_the_published_and_the_trained_network():
    trained = segmentation.load(PUBLISHED)
    with torch.no_grad():
        trained.classifier.bias += 1
    published = segmentation.load(PUBLISHED)
    half = between(PUBLISHED, trained, 0.5)
    assert torch.allclose(half.classifier.bias, published.classifier.bias + 0.5)
    assert torch.equal(half.classifier.weight, published.classifier.weight)


def test_every_window_is_drawn_once_before_one_is_drawn_again(shards):
    pool = StretchPool(shards, seed=3)
    pool.features[:, 0, 0] = np.arange(24)
    drawn = np.concatenate([pool.draw(step, 5)[0][:, 0, 0].numpy() for step in range(8)])
    first, second = drawn[:20], drawn[20:]
    assert len(set(first)) == 20 and len(set(second)) == 20 and list(first) != list(second)


def test_a_folder_without_windows_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}: expected shards"):
        StretchPool(tmp_path, seed=1)
