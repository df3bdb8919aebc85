"""The log-mel front end, a part of every network: raw audio in, no features to compute outside."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layout import SAMPLE_RATE

FRAME_SAMPLES = 400
"""25 ms."""

HOP_SAMPLES = 320
"""20 ms: two frames of the front end for every frame of the output."""

MEL_BANDS = 64
EDGES_HZ = (20.0, 7600.0)

RELATIVE_FLOOR = 1e-7
"""Power below the window's mean by more than this is silence (-70 dB)."""

ABSOLUTE_FLOOR = 1e-8
"""About the power of rounding to 16 bits: below it, there is no sound at any level."""

QUIET_LEVEL = 5e-3
"""Level of a window of about -50 dBFS. The features of windows as quiet as this show that they are:
speech is seldom recorded so quietly, and far speech is. (A variance of 1e-5, which the instance
norm of segmentation-3.0 adds to that of its audio, has the same effect there.)"""


CURVE_WAVES = 4
CURVE_DEVIATION = 0.3
"""Each of the cosines that make a recorder's curve over the bands: 0.3 nats of power are 1.3 dB."""

MASKED_SHARE = 0.5
LARGEST_MASK = 8


def mel_filters() -> np.ndarray:
    """Triangular filters [bands, bins] on the HTK mel scale, each between its neighbours' peaks."""

    def mel(hertz):
        return 2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0)

    bins = np.arange(FRAME_SAMPLES // 2 + 1) * SAMPLE_RATE / FRAME_SAMPLES
    edges = np.linspace(*mel(EDGES_HZ), MEL_BANDS + 2)
    position = mel(bins)[None, :]
    rise = (position - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - position) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rise, fall)).astype(np.float32)


class LogMel(nn.Module):
    """[batch, samples] -> [batch, bands, samples / 320], relative to the level of a window that is
    not quiet.

    The discrete Fourier transform is a product of matrices, so that it exports. Of a frame x of N
    samples, cosines see what is even around N/2, sines what is odd; of each of these, even bins see
    what is even around N/4, odd bins what is odd (or the other way round). Folded twice, the
    products are a quarter of the size. Sample n of the first quarter meets N/2 - n, N/2 + n and N -
    n; where two of these are one and the same, each counts half. Samples are rows and frames are
    columns, so that to reverse samples is to copy whole rows. Frame j is centred at sample 320 j +
    160; what lies outside the audio is silence.
    """

    def __init__(self):
        super().__init__()
        filters = mel_filters()
        used = np.flatnonzero(filters.any(axis=0))
        even, odd = used[used % 2 == 0], used[used % 2 == 1]
        half, quarter = FRAME_SAMPLES // 2, FRAME_SAMPLES // 4
        rise = np.arange(quarter + 1)
        angle = 2 * np.pi * rise / FRAME_SAMPLES
        window = np.hanning(FRAME_SAMPLES + 1)
        window[[quarter, half, half + quarter]] /= 2
        tables = {
            "window": window[np.concatenate([rise, half - rise])][:, None],
            "even_cosine": np.cos(even[:, None] * angle),
            "odd_cosine": np.cos(odd[:, None] * angle),
            "even_sine": np.sin(even[:, None] * angle),
            "odd_sine": np.sin(odd[:, None] * angle),
            "filters": filters[:, np.concatenate([even, odd])],
        }
        for name, table in tables.items():
            self.register_buffer(name, torch.tensor(table, dtype=torch.float32), persistent=False)
        # The window is zero at sample 0, whose partner N does not exist: any sample can stand for
        # it.
        mirrored = np.concatenate([(FRAME_SAMPLES - rise) % FRAME_SAMPLES, half + rise])
        self.register_buffer("first", torch.tensor(np.concatenate([rise, half - rise])), persistent=False)
        self.register_buffer("mirrored", torch.tensor(mirrored), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        power = torch.matmul(self.filters, self.power(self.frames(audio)))
        level = power.mean(dim=(1, 2), keepdim=True)
        quiet = level * RELATIVE_FLOOR + ABSOLUTE_FLOOR
        return torch.log(power + quiet) - torch.log(level + QUIET_LEVEL)

    def frames(self, audio: Tensor) -> Tensor:
        """[batch, samples] -> frames before the window [batch, 400, samples / 320]."""
        count = audio.shape[1] // HOP_SAMPLES
        beyond = FRAME_SAMPLES - HOP_SAMPLES
        # What is padded behind is negative where more of the last hop is there than the last frame
        # covers.
        behind = (count + 1) * HOP_SAMPLES - beyond // 2 - audio.shape[1]
        padded = F.pad(audio, (beyond // 2, behind))
        blocks = padded.reshape(padded.shape[0], -1, HOP_SAMPLES).transpose(1, 2)
        return torch.cat([blocks[:, :, :-1], blocks[:, :beyond, 1:]], dim=1)

    def power(self, frames: Tensor) -> Tensor:
        """[batch, 400, frames] -> power of the used bins, the even ones first
        [batch, bins, frames]."""
        first, mirrored = frames.index_select(1, self.first), frames.index_select(1, self.mirrored)
        even, even_far = ((first + mirrored) * self.window).split(FRAME_SAMPLES // 4 + 1, dim=1)
        odd, odd_far = ((first - mirrored) * self.window).split(FRAME_SAMPLES // 4 + 1, dim=1)
        even_cosine = torch.matmul(self.even_cosine, even + even_far)
        odd_cosine = torch.matmul(self.odd_cosine, even - even_far)
        even_sine = torch.matmul(self.even_sine, odd - odd_far)
        odd_sine = torch.matmul(self.odd_sine, odd + odd_far)
        even_power = even_cosine * even_cosine + even_sine * even_sine
        return torch.cat([even_power, odd_cosine * odd_cosine + odd_sine * odd_sine], dim=1)


def recoloured(features: Tensor) -> Tensor:
    """Log-mel features [batch, bands, frames] as other microphones would have them: for training
    only.

    A smooth curve over the bands is added to every window, and half of the windows lose a few
    bands. Voices are then separated by what the microphone leaves as it is (masks: SpecAugment,
    Park et al., 2019).
    """
    batch, bands, _ = features.shape
    band = torch.arange(bands, device=features.device, dtype=features.dtype)
    waves = torch.cos(
        math.pi * (band + 0.5) / bands * torch.arange(1, CURVE_WAVES + 1, device=band.device)[:, None]
    )
    amounts = torch.randn(batch, CURVE_WAVES, device=band.device) * CURVE_DEVIATION
    width = torch.randint(0, LARGEST_MASK + 1, (batch, 1), device=band.device)
    width = width * (torch.rand(batch, 1, device=band.device) < MASKED_SHARE)
    first = (torch.rand(batch, 1, device=band.device) * (bands - width)).floor()
    masked = (band >= first) & (band < first + width)
    coloured = features + (amounts @ waves)[:, :, None]
    return coloured.masked_fill(masked[:, :, None], math.log(RELATIVE_FLOOR) / 2)
