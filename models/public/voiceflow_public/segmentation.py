"""PyanNet, the network of pyannote segmentation-3.0: SincNet, LSTM, powerset classes of three
speakers.

Bredin and Laurent, "End-to-end speaker segmentation for overlap-aware resegmentation", Interspeech
2021; Plaquet and Bredin, "Powerset multi-class cross entropy loss for neural speaker diarization",
Interspeech 2023. The filters: Ravanelli and Bengio, "Speaker recognition from raw waveform with
SincNet", SLT 2018, with a sine beside every cosine as in Pariente et al., "Filterbank design for
end-to-end speech separation", ICASSP 2020.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 160_000
"""Samples of a window in training, 10 s."""

SPEAKERS = 3
SPEAKERS_AT_ONCE = 2
CLASSES = 7
"""Silence; speakers 0, 1, 2; pairs 0+1, 0+2, 1+2."""

SINC_KERNEL = 251
SINC_STRIDE = 10
POOL = 3
CONV_KERNEL = 5

RECEPTIVE_FIELD = 991
"""Samples that a frame sees."""

FRAME_SHIFT = 270
"""Samples from a frame to the next: the filters' stride times three poolings by 3."""

LOWEST_HZ = 50.0
"""Lowest cut-off of a filter, and its least bandwidth."""

FIRST_HZ = 30.0
"""Where the mel scale of the filters begins."""


def frames_of(samples: int) -> int:
    """Frames of a window of ``samples`` samples, at least 991."""
    frames = (samples - SINC_KERNEL) // SINC_STRIDE + 1
    frames = (frames - POOL) // POOL + 1
    for _ in range(2):
        frames = (frames - CONV_KERNEL + 1 - POOL) // POOL + 1
    return frames


def mel_edges(bands: int) -> Tensor:
    """``bands`` + 1 frequencies in Hz, evenly spaced in mel from 30 Hz to 7,900 Hz."""
    highest = SAMPLE_RATE / 2 - 2 * LOWEST_HZ
    first, last = (2595 * math.log10(1 + hz / 700) for hz in (FIRST_HZ, highest))
    return 700 * (10 ** (torch.linspace(first, last, bands + 1) / 2595) - 1)


class SincFilters(nn.Module):
    """Band-pass filters given by their cut-offs, cosine and sine: [N, 1, T] -> [N, filters, T']."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        half = SINC_KERNEL // 2
        edges = mel_edges(filters // 2)
        self.low = nn.Parameter(edges[:-1].unsqueeze(1))
        self.band = nn.Parameter(edges.diff().unsqueeze(1))
        self.register_buffer("window", torch.hamming_window(SINC_KERNEL, periodic=False)[:half])
        self.register_buffer("phase", 2 * math.pi * torch.arange(-half, 0.0).unsqueeze(0) / SAMPLE_RATE)

    def filters(self) -> Tensor:
        """The impulse responses: [filters, 1, 251]."""
        low = LOWEST_HZ + self.low.abs()
        high = torch.clamp(low + LOWEST_HZ + self.band.abs(), LOWEST_HZ, SAMPLE_RATE / 2)
        width = 2 * (high - low)
        from_low, from_high = low @ self.phase, high @ self.phase
        scale = 2 * self.window / self.phase
        even = (torch.sin(from_high) - torch.sin(from_low)) * scale
        odd = (torch.cos(from_low) - torch.cos(from_high)) * scale
        cosine = torch.cat((even, width, even.flip(1)), dim=1)
        sine = torch.cat((odd, torch.zeros_like(width), -odd.flip(1)), dim=1)
        return torch.cat((cosine / width, sine / width)).unsqueeze(1)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv1d(x, self.filters(), stride=SINC_STRIDE)


class SincNet(nn.Module):
    """Convolutions, each pooled by 3 and normalized over time: [N, 1, T] ->
    [N, channels, frames]."""

    def __init__(self, filters: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm1d(1, affine=True)
        self.convs = nn.ModuleList(
            (
                SincFilters(filters),
                nn.Conv1d(filters, channels, CONV_KERNEL),
                nn.Conv1d(channels, channels, CONV_KERNEL),
            )
        )
        self.norms = nn.ModuleList(
            nn.InstanceNorm1d(size, affine=True) for size in (filters, channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = conv(x)
            x = x.abs() if index == 0 else x
            x = F.leaky_relu(norm(F.max_pool1d(x, POOL)))
        return x


class PyanNet(nn.Module):
    """``x`` [N, 1, T] in [-1, 1] at 16 kHz -> ``y`` [N, frames, 7], log-probabilities.

    ``filters`` and ``channels`` are SincNet's (published: 80 and 60), ``hidden`` the LSTM's for
    each direction (published: 128) in ``layers`` layers (published: 4), ``linear`` that of the two
    layers after it (published: 128).
    """

    def __init__(
        self, filters: int = 80, channels: int = 60, hidden: int = 128, layers: int = 4, linear: int = 128
    ) -> None:
        super().__init__()
        self.sincnet = SincNet(filters, channels)
        self.lstm = nn.LSTM(channels, hidden, num_layers=layers, bidirectional=True, batch_first=True)
        self.linears = nn.ModuleList((nn.Linear(2 * hidden, linear), nn.Linear(linear, linear)))
        self.classifier = nn.Linear(linear, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.sincnet(x).transpose(1, 2))

    def classes(self, features: Tensor) -> Tensor:
        """SincNet's features [N, frames, channels] -> ``y``."""
        frames, _ = self.lstm(features)
        for linear in self.linears:
            frames = F.leaky_relu(linear(frames))
        return F.log_softmax(self.classifier(frames), dim=-1)
