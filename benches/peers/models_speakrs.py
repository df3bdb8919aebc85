"""Writes the folder of models that speakrs's CPU mode reads out of the two public ONNX files.

The same weights under speakrs's names, as safetensors, beside the PLDA that the crate `diaric`
ships (speaker-diarization-community-1, CC BY 4.0).
"""

import json
import subprocess
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file
from scipy.optimize import least_squares

SAMPLE_RATE = 16000  # Hz
MIN_SAMPLES = 400  # the shortest clip that makes a frame: 25 ms; what the published folder says
BLOCKS = (3, 4, 6, 3)  # residual blocks in each stage of ResNet34
PLDA_SHAPES = {
    "mean1": (256,),
    "mean2": (128,),
    "lda": (256, 128),
    "mu": (128,),
    "tr": (128, 128),
    "psi": (128,),
}

# SincNet (Ravanelli and Bengio 2018) as segmentation-3.0 has it.
SINC_HALF = 125  # samples on either side of a filter's middle
MIN_LOW_HZ = MIN_BAND_HZ = 50.0
# A filter of the ONNX file and the one made again of its two band edges may differ by this much;
# peaks are 1.
FILTER_TOLERANCE = 1e-4


def folder(segmentation: Path, embedding: Path, target: Path, manifest: Path) -> Path:
    """Fills `target`; `manifest` is a Cargo.toml whose packages include `diaric`."""
    target.mkdir(exist_ok=True)
    save_file(segmentation_tensors(segmentation), target / "segmentation-3.0.safetensors")
    save_file(embedding_tensors(embedding), target / "wespeaker-multimask-tail.safetensors")
    (target / "wespeaker-voxceleb-resnet34.min_num_samples.txt").write_text(f"{MIN_SAMPLES}\n")
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--manifest-path={manifest}"]
    packages = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["packages"]
    diaric = next(package for package in packages if package["name"] == "diaric")
    plda = Path(diaric["manifest_path"]).parent / "models" / "plda"
    for name, shape in PLDA_SHAPES.items():
        values = numpy.fromfile(plda / f"{name}.bin", "<f8").reshape(shape)
        numpy.save(target / f"plda_{name}.npy", values)
    return target


def segmentation_tensors(source: Path) -> dict[str, numpy.ndarray]:
    """All weights under the names of the ONNX file, and the band edges that made its first
    filters."""
    tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(source).graph.initializer}
    filters = next(value for value in tensors.values() if value.shape == (80, 1, 2 * SINC_HALF + 1))
    kept = {
        name: numpy.ascontiguousarray(value)
        for name, value in tensors.items()
        if value.dtype == numpy.float32 and value.ndim > 0 and value is not filters
    }
    time = 2 * numpy.pi * numpy.arange(-SINC_HALF, 0.0) / SAMPLE_RATE
    # The left half of a Hamming window as asteroid-filterbanks has it: to half a sample before the
    # middle.
    steps = numpy.linspace(0, SINC_HALF - 0.5, SINC_HALF)
    window = 0.54 - 0.46 * numpy.cos(2 * numpy.pi * steps / (2 * SINC_HALF + 1))
    edges = numpy.array([_band(f[0], time, window, source) for f in filters[:40]])
    made = {
        "sincnet.conv1d.0.filterbank.low_hz_": edges[:, :1] - MIN_LOW_HZ,
        "sincnet.conv1d.0.filterbank.band_hz_": edges[:, 1:] - edges[:, :1] - MIN_BAND_HZ,
        "sincnet.conv1d.0.filterbank.window_": window,
        "sincnet.conv1d.0.filterbank.n_": time[None],
        "onnx::Div_0": time[None] / 2,
    }
    return kept | {name: numpy.ascontiguousarray(value, numpy.float32) for name, value in made.items()}


def _band(wanted: numpy.ndarray, time: numpy.ndarray, window: numpy.ndarray, source: Path) -> numpy.ndarray:
    """Lower and upper edge in Hz of one even band-pass filter [2 SINC_HALF + 1] with a peak
    of 1."""

    def filtered(edges: numpy.ndarray) -> numpy.ndarray:
        low, high = edges
        return (numpy.sin(high * time) - numpy.sin(low * time)) / (time * (high - low)) * window

    half = wanted[:SINC_HALF].astype(numpy.float64)
    spectrum = numpy.abs(numpy.fft.rfft(wanted, 16384))
    inside = numpy.flatnonzero(spectrum > spectrum.max() / 2) * SAMPLE_RATE / 16384
    found = least_squares(
        lambda edges: filtered(edges) - half, (inside[0], inside[-1]), x_scale=100.0, xtol=1e-15
    )
    worst = numpy.abs(found.fun).max()
    if worst > FILTER_TOLERANCE:
        raise SystemExit(
            f"{source}: the first convolution holds no band-pass filters of SincNet (off by {worst:.1e})"
        )
    return found.x


def embedding_tensors(source: Path) -> dict[str, numpy.ndarray]:
    """The convolutions, normalization folded in, and the last layer of a wespeaker ResNet34."""
    graph = onnx.load(source).graph
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    names = ["conv1"]
    for stage, blocks in enumerate(BLOCKS, 1):
        for block in range(blocks):
            names += [f"layer{stage}.{block}.{conv}" for conv in ("conv1", "conv2")]
            names += [f"layer{stage}.{block}.shortcut.0"] * (stage > 1 and block == 0)
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    if len(convolutions) != len(names) or any(len(node.input) != 3 for node in convolutions):
        raise SystemExit(f"{source}: expected the {len(names)} folded convolutions of ResNet34, found others")
    tensors = {}
    for name, node in zip(names, convolutions, strict=True):
        tensors[f"resnet.{name}.weight"] = values[node.input[1]]
        tensors[f"resnet.{name}.weight_bias"] = values[node.input[2]]
    last = next(node for node in reversed(graph.node) if node.op_type == "Gemm")
    tensors["resnet.seg_1.weight"], tensors["resnet.seg_1.bias"] = (values[name] for name in last.input[1:])
    return {name: numpy.ascontiguousarray(value) for name, value in tensors.items()}
