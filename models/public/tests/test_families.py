"""The networks: published sizes, shapes, what lengths and padding do."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is needed to build the networks; install models/public")
pytest.importorskip("onnx", reason="onnx is needed to export; install models/public")
pytest.importorskip("onnxruntime", reason="ONNX Runtime is needed to compare; install models/public")

from voiceflow_public.export import build, result  # noqa: E402
from voiceflow_public.families.campplus import CamPlusPlus, segment_means  # noqa: E402
from voiceflow_public.families.ecapa import EcapaTdnn  # noqa: E402
from voiceflow_public.families.eres2net import ERes2Net, ERes2NetV2  # noqa: E402
from voiceflow_public.families.pooling import TemporalStatistics  # noqa: E402
from voiceflow_public.families.resnet import ResNet34  # noqa: E402
from voiceflow_public.families.speakernet import SpeakerNet  # noqa: E402
from voiceflow_public.families.titanet import TitaNet  # noqa: E402
from voiceflow_public.registry import FAMILIES, Family  # noqa: E402
from voiceflow_public.segmentation import PyanNet, SincFilters, frames_of  # noqa: E402

EMBEDDINGS = [name for name, family in FAMILIES.items() if family.toolkit.embeds]

# Millions of parameters as the toolkits and papers state them.
PUBLISHED = [
    (ResNet34, {}, 6.63),
    (EcapaTdnn, {}, 6.19),
    (CamPlusPlus, {"dim": 512}, 7.18),
    (ERes2Net, {}, 6.61),
    (ERes2NetV2, {}, 17.86),
    (TitaNet, {}, 25.3),
    (PyanNet, {}, 1.47),
]


@pytest.mark.parametrize(("network", "sizes", "millions"), PUBLISHED)
def test_the_published_size(network, sizes, millions):
    with torch.device("meta"):
        parameters = sum(parameter.numel() for parameter in network(**sizes).parameters())
    assert parameters == pytest.approx(millions * 1e6, rel=0.005)


def test_speakernet_has_about_five_million_parameters():
    # The paper rounds, and does not say whether it counts the speakers of the training data: 4.0 M
    # without, 5.9 M with.
    with torch.device("meta"):
        parameters = {name: parameter.numel() for name, parameter in SpeakerNet().named_parameters()}
    assert sum(parameters.values()) == pytest.approx(5.87e6, rel=0.005)
    assert sum(parameters.values()) - parameters["classifier.weight"] == pytest.approx(4.03e6, rel=0.005)


@pytest.mark.parametrize("name", EMBEDDINGS)
@pytest.mark.parametrize("frames", [150, 333])
def test_embeddings_differ_between_inputs(name, frames):
    family = FAMILIES[name]
    model = build(family, small=True, seed=0)
    inputs = family.toolkit.noise(6, frames, torch.Generator().manual_seed(2))
    with torch.no_grad():
        embeddings = result(model(*inputs), family.toolkit)
    assert embeddings.shape == (6, family.small["dim"])
    unit = torch.nn.functional.normalize(embeddings, dim=1)
    between = (unit @ unit.T)[~torch.eye(6, dtype=torch.bool)]
    assert between.mean() < 0.5
    assert between.max() < 0.999


@pytest.mark.parametrize("samples", [1_261, 1_530, 1_531, 16_000, 160_000])
def test_frames_of_the_segmentation(samples):
    family = FAMILIES["segmentation"]
    with torch.no_grad():
        classes = family.build(**family.small).eval()(torch.randn(2, 1, samples))
    assert classes.shape == (2, frames_of(samples), 7)
    assert torch.allclose(classes.exp().sum(dim=2), torch.ones(()))


def test_ten_seconds_are_589_frames():
    assert frames_of(160_000) == 589
    assert [frames_of(991 + extra) for extra in (0, 269, 270)] == [1, 1, 2]


def test_the_most_likely_class_changes():
    family = FAMILIES["segmentation"]
    model = build(family, small=True, seed=0)
    with torch.no_grad():
        classes = model(*family.toolkit.golden(64_000, 5)).argmax(dim=2)
    assert len(classes.unique()) >= 4


def test_sinc_filters_pass_their_band():
    response = torch.fft.rfft(SincFilters(80).filters().squeeze(1), n=4_096).abs()
    peaks = response[:40].argmax(dim=1) * 16_000 / 4_096
    assert peaks[0] < 250
    assert peaks[-1] > 7_000
    assert bool((peaks.diff() >= 0).all())


def test_statistics_pooling():
    x = torch.randn(2, 3, 4, 50)
    pooled = TemporalStatistics()(x)
    assert pooled.shape == (2, 24)
    assert torch.allclose(pooled[:, 12:], x.std(dim=3).flatten(1), atol=1e-5)


def test_segments_are_pooled_by_their_own_length():
    x = torch.arange(250.0).expand(1, 2, -1)
    means = segment_means(x)
    assert means.shape == x.shape
    assert means[0, 0, [0, 99, 100, 249]].tolist() == [49.5, 49.5, 149.5, 224.5]


@pytest.mark.parametrize("name", ["titanet", "speakernet"])
def test_padding_counts_for_nothing_only_where_convolutions_are_masked(name):
    family = FAMILIES[name]
    features, length = family.toolkit.noise(1, 203, torch.Generator().manual_seed(3))
    padded = torch.cat((features, torch.zeros(1, 80, 5)), dim=2)
    change = {}
    for masked in (False, True):
        model = build(
            Family(family.build, family.small | {"masked": masked}, family.toolkit), small=True, seed=0
        )
        with torch.no_grad():
            plain, with_padding = model(features, length)[1], model(padded, length)[1]
        change[masked] = ((plain - with_padding).norm() / plain.norm()).item()
    assert change[True] < 1e-5
    assert 1e-4 < change[False] < 0.5
