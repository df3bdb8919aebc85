"""The network for accuracy first: encoders, training, checkpoints without the encoder's folder,
export."""

import json
import shutil
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to train; install models/diarization")

from voiceflow_models.export.folder import LARGEST_BYTES, write_folder  # noqa: E402
from voiceflow_models.export.graph import Properties, compare, export  # noqa: E402
from voiceflow_models.export.variants import Variants  # noqa: E402
from voiceflow_models.layout import MAX_SPEAKERS, frames_of  # noqa: E402
from voiceflow_models.networks.checkpoint import load  # noqa: E402
from voiceflow_models.networks.conformer import ConformerConfig, by_pair  # noqa: E402
from voiceflow_models.networks.pretrained import package  # noqa: E402
from voiceflow_models.networks.sophisticated import (  # noqa: E402
    PRETRAINED_RATE,
    Sophisticated,
    SophisticatedConfig,
    from_encoder,
    small,
)
from voiceflow_models.training import loop  # noqa: E402

MODELS = {"wavlm": "WavLM", "wav2vec2": "Wav2Vec2"}


def transformers_or_skip():
    """The package as the networks import it, which a plain import would forestall."""
    try:
        return package()
    except SystemExit as missing:
        pytest.skip(str(missing))


def save_encoder(folder: Path, kind: str = "wavlm", **settings) -> Path:
    """A tiny encoder with random weights, as transformers keeps it."""
    torch.manual_seed(2)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    sizes |= {"conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    transformers = transformers_or_skip()
    config = getattr(transformers, f"{MODELS[kind]}Config")(**sizes | settings)
    getattr(transformers, f"{MODELS[kind]}Model")(config).save_pretrained(folder)
    return folder


def shaken(network: torch.nn.Module) -> torch.nn.Module:
    """The network with weights so large that all parts of it matter to the result."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return network


def train(build, windows: Path, out: Path, *more: str) -> loop.Trainer:
    """Trains for a few steps on one thread."""
    parser = ArgumentParser()
    loop.add_arguments(parser)
    options = ["--data", windows, "--out", out, "--batch", "2", "--epochs", "2", *more]
    trainer = loop.Trainer(build, "sophisticated", parser.parse_args(list(map(str, options))))
    trainer.run()
    return trainer


@pytest.mark.parametrize("samples", [640, 700, 1000, 12_345, 48_000])
def test_shapes(samples):
    network = Sophisticated(small()).eval()
    with torch.no_grad():
        activity, embedding = network(torch.randn(2, samples) * 0.05)
    assert activity.shape == (2, frames_of(samples), MAX_SPEAKERS)
    assert embedding.shape == (2, MAX_SPEAKERS, network.embedding_dim)


def test_sizes():
    with torch.device("meta"):
        millions = [
            sum(parameter.numel() for parameter in network.parameters()) / 1e6
            for network in (Sophisticated(), Sophisticated(small()))
        ]
    assert millions[0] == pytest.approx(90.2, abs=0.1)
    assert millions[1] == pytest.approx(1.2, abs=0.1)


def test_scores_by_distance_become_scores_by_pair():
    frames = 5
    scores = torch.randn(2, 3, frames, 2 * frames - 1)
    found = by_pair(scores)
    for query in range(frames):
        for key in range(frames):
            column = frames - 1 - (query - key)
            assert torch.equal(found[:, :, query, key], scores[:, :, query, column])


@pytest.mark.parametrize(("field", "value"), [("width", 100), ("kernel", 30)])
def test_sizes_that_do_not_fit_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}: expected .*found {value}"):
        ConformerConfig(**{field: value})


def test_one_encoder_is_asked_for():
    with pytest.raises(ValueError, match="either conformer or pretrained"):
        SophisticatedConfig(conformer=None)


def test_a_conformer_exports_for_any_length(tmp_path):
    network = shaken(Sophisticated(small()))
    export(network, tmp_path / "model.onnx")
    assert compare(network, tmp_path / "model.onnx")["largest_difference_from_pytorch"] < 1e-4


def test_a_conformer_trains_and_its_folder_may_be_large(windows, tmp_path, monkeypatch):
    trained = train(lambda: Sophisticated(small()), windows, tmp_path / "run")
    assert trained.step == 4
    loaded = load(tmp_path / "run" / "checkpoint.pt")
    assert loaded.network.config == small()
    monkeypatch.setitem(LARGEST_BYTES, "fast-cnn", 1_000_000)
    thresholds = {"onset": 0.5, "offset": 0.5, "clustering": 0.5}
    properties = Properties(loaded.kind, "0.0.1", 4.0, 2.0, thresholds, {}, loaded.network.embedding_dim)
    wanted = Variants(False, False, None)
    write_folder(loaded, properties, tmp_path / "folder", {}, wanted)
    metadata = json.loads((tmp_path / "folder" / "metadata.json").read_text())
    assert metadata["bytes"] > 4_000_000 and metadata["name"] == "sophisticated"
    with pytest.raises(SystemExit, match="allowed 1000000"):
        write_folder(replace(loaded, kind="fast-cnn"), properties, tmp_path / "folder", {}, wanted)


@pytest.mark.parametrize("kind", ["wavlm", "wav2vec2"])
@pytest.mark.parametrize("stable", [False, True])
def test_a_pretrained_encoder_trains_and_exports_without_its_folder(kind, stable, windows, tmp_path):
    norm = "layer" if stable else "group"
    folder = save_encoder(tmp_path / "encoder", kind, do_stable_layer_norm=stable, feat_extract_norm=norm)
    before = from_encoder(folder).encoder
    trainer = train(lambda: from_encoder(folder), windows, tmp_path / "run", "--rate", "0.01")
    shutil.rmtree(folder)
    loaded = load(tmp_path / "run" / "checkpoint.pt").network
    audio = torch.randn(2, 16_000) * 0.05
    with torch.no_grad():
        averaged = trainer.averaged.module.eval()(audio)
        for one, other in zip(loaded(audio), averaged, strict=True):
            assert torch.allclose(one, other, atol=1e-6)
    learned, known = dict(trainer.network.encoder.named_parameters()), dict(before.named_parameters())
    for name, values in learned.items():
        assert torch.equal(values, known[name]) == name.startswith("model.feature_extractor"), name
    shaken(loaded)
    export(loaded, tmp_path / "model.onnx")
    assert compare(loaded, tmp_path / "model.onnx")["largest_difference_from_pytorch"] < 1e-4


def test_a_pretrained_encoder_is_trained_gently(windows, tmp_path):
    folder = save_encoder(tmp_path / "encoder")
    trainer = train(lambda: from_encoder(folder), windows, tmp_path / "run")
    rates = [group["lr"] for group in trainer.optimizer.param_groups]
    assert rates[1] == pytest.approx(rates[0] * PRETRAINED_RATE)
    counted = [parameter for group in trainer.optimizer.param_groups for parameter in group["params"]]
    trained = [*trainer.network.parameters(), *trainer.objective.parameters()]
    assert sum(map(torch.numel, counted)) == sum(p.numel() for p in trained if p.requires_grad)


def test_the_frames_of_a_pretrained_encoder_lie_where_the_labels_do(tmp_path):
    encoder = from_encoder(save_encoder(tmp_path / "encoder")).encoder
    # 400 samples seen by a frame of 320: 40 more on either side.
    assert encoder.margins == (40, 40)
    quiet, click = torch.zeros(1, 6400), torch.zeros(1, 6400)
    click[0, 5 * 640 + 320] = 1.0
    with torch.no_grad():
        outputs = [
            encoder.model.feature_extractor(torch.nn.functional.pad(x, (40, 40))) for x in (quiet, click)
        ]
    changed = (outputs[1] - outputs[0]).abs().sum(dim=1)[0]
    assert frames_of(6400) * 2 == len(changed)
    assert changed.argmax() // 2 == 5


def test_what_its_preprocessor_says_decides_on_normalizing(tmp_path):
    folder = save_encoder(tmp_path / "encoder")
    assert not from_encoder(folder).encoder.normalize
    (folder / "preprocessor_config.json").write_text('{"do_normalize": true}')
    network = from_encoder(folder).eval()
    audio = torch.randn(1, 16_000)
    with torch.no_grad():
        loud, soft = network.encoder(audio), network.encoder(audio * 0.1 + 0.01)
    assert torch.allclose(loud, soft, atol=1e-3)


def test_a_folder_without_an_encoder_is_refused(tmp_path):
    transformers_or_skip()
    with pytest.raises(SystemExit, match="found no config.json"):
        from_encoder(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(SystemExit, match="such as wavlm or wav2vec2, found bert"):
        from_encoder(tmp_path)


def test_transformers_that_is_not_there_is_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(SystemExit, match="a pretrained encoder needs the package transformers"):
        from_encoder(tmp_path)


def test_an_encoder_of_other_frames_is_refused(tmp_path):
    folder = save_encoder(tmp_path / "encoder", conv_stride=[5, 2, 2, 2, 2, 2, 1])
    with pytest.raises(SystemExit, match="expected frames 320 samples apart, found 160"):
        from_encoder(folder)


def test_an_encoder_without_some_of_its_weights_is_refused(tmp_path):
    folder = save_encoder(tmp_path / "encoder")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(SystemExit, match="expected all weights, found none for .*layers.2"):
        from_encoder(folder)
