"""Writes tests/golden/features.json: filterbank features of one signal by the toolkits that define
them.

    pip install torch torchaudio librosa kaldi-native-fbank
    pip install --no-deps nemo_toolkit==2.4.0
    python make_feature_golden.py

The signal, float32 at 16 kHz (src/features/golden_tests.rs makes the same):

    state(0) = 1,  state(i+1) = (1664525 * state(i) + 1013904223) mod 2^32
    noise(i) = floor(state(i+1) / 2^8) / 2^24 * 2 - 1
    buzz(i)  = (i mod 128) / 64 - 1                    a sawtooth of 125 Hz, the pitch of a low voice
    level(i) = 0.1, 0, 0.001 and 0.9 for 2000 samples each, and on with 0.9
    x(i)     = level(i) * (0.8 * buzz(i) + 0.2 * noise(i))

Of the normalized features every NORMALIZED_STEP-th frame is kept.
"""

import importlib.util
import json
import sys
from importlib.metadata import version
from pathlib import Path
from unittest.mock import MagicMock

import kaldi_native_fbank as knf
import numpy as np
import torch
import torchaudio

RATE = 16000
# No multiple of 160: what is left at the end differs from one framing to another.
SAMPLES = 8100
LEVELS = np.array([0.1, 0.0, 0.001, 0.9, 0.9])
INT16 = 32768
NORMALIZED_STEP = 5
# The rounding is a twentieth of what the test allows.
DECIMALS = 5


def signal() -> np.ndarray:
    """The signal, float32 [SAMPLES]."""
    state, noise = 1, np.empty(SAMPLES)
    for i in range(SAMPLES):
        state = (1664525 * state + 1013904223) % 2**32
        noise[i] = (state >> 8) / 2**24 * 2 - 1
    i = np.arange(SAMPLES)
    return (LEVELS[i // 2000] * (0.8 * ((i % 128) / 64 - 1) + 0.2 * noise)).astype(np.float32)


def without_mean(features):
    return features - features.mean(axis=0)


def kaldi(x, scale, window):
    """As wespeaker and 3D-Speaker call torchaudio."""
    waveform = torch.from_numpy(x * np.float32(scale))[None]
    features = torchaudio.compliance.kaldi.fbank(
        waveform, num_mel_bins=80, sample_frequency=RATE, dither=0.0, window_type=window
    )
    return features.numpy().astype(np.float64)


def sherpa(x, scale, bins=80, nemo_window_ms=None):
    """kaldi-native-fbank with the options of sherpa-onnx's extractors of speaker embeddings."""
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = nemo_window_ms is not None
    options.mel_opts.num_bins = bins
    options.mel_opts.high_freq = -400
    if nemo_window_ms is not None:
        options.frame_opts.frame_length_ms = nemo_window_ms
        options.frame_opts.remove_dc_offset = False
        options.frame_opts.window_type = "hann"
        options.mel_opts.low_freq = 0
        options.mel_opts.is_librosa = True
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(RATE, (x * np.float32(scale)).tolist())
    fbank.input_finished()
    return np.array([fbank.get_frame(i) for i in range(fbank.num_frames_ready)], np.float64)


def with_biased_deviation(features):
    """As sherpa-onnx normalizes what networks of NeMo take."""
    return without_mean(features) / (features.std(axis=0) + 1e-5)


def nemo_class():
    """NeMo's FilterbankFeatures. What its file imports for other classes is most of NeMo: stand-ins
    do."""
    for name in [
        "collections.asr.parts.preprocessing.perturb",
        "collections.asr.parts.preprocessing.segment",
        "utils",
    ]:
        sys.modules[f"nemo.{name}"] = MagicMock()
    root = Path(importlib.util.find_spec("nemo").origin).parent
    path = root / "collections/asr/parts/preprocessing/features.py"
    spec = importlib.util.spec_from_file_location("nemo_features", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FilterbankFeatures


def nemo(x, bins, window_ms, normalize):
    """As the configurations of TitaNet and SpeakerNet have it, but for the padding to 16 frames."""
    layer = nemo_class()(
        n_window_size=window_ms * RATE // 1000,
        n_window_stride=RATE // 100,
        n_fft=512,
        nfilt=bins,
        normalize=normalize,
        pad_to=0,
    )
    layer.eval()
    features, length = layer(torch.from_numpy(x)[None], torch.tensor([len(x)]))
    return features[0, :, : int(length)].numpy().T.astype(np.float64)


def cases():
    """Name, features and normalized features of each preset."""
    x = signal()
    for name, scale, window in [("wespeaker", INT16, "hamming"), ("three_d_speaker", 1, "povey")]:
        features = kaldi(x, scale, window)
        yield f"{name} trained", features, without_mean(features)
    features = sherpa(x, INT16)
    yield "wespeaker sherpa", features, features
    features = sherpa(x, 1)
    yield "three_d_speaker sherpa", features, without_mean(features)
    for name, bins, window_ms in [("titanet", 80, 25), ("speakernet", 64, 20)]:
        yield f"{name} trained", nemo(x, bins, window_ms, None), nemo(x, bins, window_ms, "per_feature")
        features = sherpa(x, 1, bins, window_ms)
        yield f"{name} sherpa", features, with_biased_deviation(features)


def main():
    lines = []
    for name, features, normalized in cases():
        assert np.isfinite(features).all() and np.isfinite(normalized).all(), name
        case = {
            "name": name,
            "shape": features.shape,
            "features": features.ravel().round(DECIMALS).tolist(),
            "normalized": normalized[::NORMALIZED_STEP].ravel().round(DECIMALS).tolist(),
        }
        lines.append(json.dumps(case, separators=(",", ":")))
        print(f"{name}: {features.shape}, {features.min():.3f} to {features.max():.3f}")
    packages = ["torchaudio", "kaldi-native-fbank", "librosa"]
    versions = {package: version(package) for package in packages} | {"nemo_toolkit": "2.4.0"}
    path = Path(__file__).parents[1] / "golden" / "features.json"
    head = f'{{"versions": {json.dumps(versions)},\n"normalized_step": {NORMALIZED_STEP},\n"cases": [\n'
    path.write_text(head + ",\n".join(lines) + "\n]}\n")
    print(f"{path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
