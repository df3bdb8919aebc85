"""The speaker encoder's graph and filterbanks, with random weights: nothing is fetched."""

import io
import pickle

import numpy as np
import onnxruntime
import pytest
from voiceflow_public import checkpoint, ge2e, mel

HIDDEN = 8


@pytest.fixture(scope="module")
def audio():
    """Five seconds of noise that grows and fades, with less treble than bass."""
    noise = np.random.default_rng(1).standard_normal(5 * mel.SAMPLE_RATE)
    swell = 0.01 + np.sin(np.arange(len(noise)) / mel.SAMPLE_RATE) ** 2
    return 0.1 * swell * np.convolve(noise, [0.5, 0.3, 0.2], mode="same")


@pytest.fixture(scope="module")
def conversion(audio):
    return mel.conversion(audio)


@pytest.fixture(scope="module")
def encoder(conversion):
    random = np.random.default_rng(2)
    shapes = {"linear.weight": (HIDDEN, HIDDEN), "linear.bias": (HIDDEN,)}
    for layer in range(ge2e.LAYERS):
        shapes[f"lstm.weight_ih_l{layer}"] = (4 * HIDDEN, HIDDEN if layer else mel.LIBROSA_BANDS)
        shapes[f"lstm.weight_hh_l{layer}"] = (4 * HIDDEN, HIDDEN)
        shapes[f"lstm.bias_ih_l{layer}"] = shapes[f"lstm.bias_hh_l{layer}"] = (4 * HIDDEN,)
    weights = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    return onnxruntime.InferenceSession(ge2e.build(weights, conversion).SerializeToString())


def features(audio, count):
    """Kaldi's log filterbank [1, count, 80] of the audio's first frames."""
    return np.log(mel.kaldi_power(mel.frames(audio))[None, :count]).astype(np.float32)


def embed(encoder, feats):
    return encoder.run(["embs"], {"feats": feats})[0]


def test_the_conversion_gives_librosas_power_and_the_level(audio, conversion):
    framed = mel.frames(audio)
    found = mel.kaldi_power(framed) @ conversion
    wanted = np.column_stack([mel.librosa_power(framed), (framed**2).mean(axis=1)])
    error = 10 * np.log10(found.sum(axis=0) / wanted.sum(axis=0))
    assert conversion.min() >= 0
    assert np.abs(error).max() < 0.5  # dB


@pytest.mark.parametrize("count", [20, 159, 160, 161, 280, 281, 490])
def test_any_number_of_frames_gives_unit_length(encoder, audio, count):
    found = embed(encoder, features(audio, count))
    assert found.shape == (1, HIDDEN)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_a_batch_gives_what_each_sequence_gives_alone(encoder, audio):
    both = np.concatenate([features(audio, 300), features(audio[::-1], 300)])
    alone = np.concatenate([embed(encoder, row[None]) for row in both])
    np.testing.assert_allclose(embed(encoder, both), alone, atol=1e-5)


def test_quiet_speech_is_raised_and_loud_speech_left(encoder, audio):
    quiet = features(audio, 300) - np.log(1e5).astype(np.float32)
    np.testing.assert_allclose(embed(encoder, quiet), embed(encoder, quiet - 3), atol=1e-4)
    loud = features(audio, 300) + np.log(1e4).astype(np.float32)
    assert np.abs(embed(encoder, loud) - embed(encoder, loud + 3)).max() > 1e-3


def test_silence_gives_finite_numbers(encoder):
    assert np.isfinite(embed(encoder, np.full((1, 100, mel.KALDI_BANDS), -15.9, np.float32))).all()


def test_a_checkpoint_that_names_anything_else_is_refused():
    pickles = [checkpoint.MAGIC, 1001, {}, io.BytesIO]
    file = io.BytesIO(b"".join(pickle.dumps(each, protocol=2) for each in pickles))
    with pytest.raises(pickle.UnpicklingError, match="BytesIO"):
        checkpoint.read(file)
