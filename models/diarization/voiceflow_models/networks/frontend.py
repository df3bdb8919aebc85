"""The log-mel front end, a part of every network: raw audio in, no features to compute outside."""

from __future__ import annotations

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
"""About the power of rounding to 16 bits: below it, there is nothing to be heard at any level."""


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
    """[batch, samples] -> [batch, bands, samples / 320], relative to the level of the whole window.

    The discrete Fourier transform is a product of matrices, so that it exports. Of a frame x of N samples,
    cosines see what is even around N/2, sines what is odd; of each of these, even bins see what is even
    around N/4, odd bins what is odd (or the other way round). Folded twice, the products are a quarter of
    the size. Frame j is centred at sample 320 j + 160; what lies outside the audio is silence.
    """

    def __init__(self):
        super().__init__()
        filters = mel_filters()
        used = np.flatnonzero(filters.any(axis=0))
        even, odd = used[used % 2 == 0], used[used % 2 == 1]
        quarter = FRAME_SAMPLES // 4
        angle = 2 * np.pi * np.arange(quarter + 1)[:, None] / FRAME_SAMPLES
        tables = {
            "window": np.hanning(FRAME_SAMPLES + 1)[:-1],
            "even_cosine": np.cos(angle * even),
            "odd_cosine": np.cos(angle * odd)[:quarter],
            "even_sine": np.sin(angle * even)[1:quarter],
            "odd_sine": np.sin(angle * odd)[1:],
            "filters": filters[:, np.concatenate([even, odd])].T.copy(),
        }
        for name, table in tables.items():
            self.register_buffer(name, torch.tensor(table, dtype=torch.float32), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        power = torch.matmul(self.power(self.frames(audio)), self.filters).transpose(1, 2)
        level = power.mean(dim=(1, 2), keepdim=True)
        quiet = level * RELATIVE_FLOOR + ABSOLUTE_FLOOR
        return torch.log(power + quiet) - torch.log(level + ABSOLUTE_FLOOR)

    def frames(self, audio: Tensor) -> Tensor:
        """[batch, samples] -> windowed frames [batch, samples / 320, 400]."""
        count = audio.shape[1] // HOP_SAMPLES
        before = (FRAME_SAMPLES - HOP_SAMPLES) // 2
        padded = F.pad(audio[:, : count * HOP_SAMPLES], (before, HOP_SAMPLES - before))
        blocks = padded.unflatten(1, (-1, HOP_SAMPLES))
        beyond = FRAME_SAMPLES - HOP_SAMPLES
        return torch.cat([blocks[:, :-1], blocks[:, 1:, :beyond]], dim=2) * self.window

    def power(self, frames: Tensor) -> Tensor:
        """[batch, frames, 400] -> power of the used bins, the even ones first [batch, frames, bins]."""
        half, quarter = FRAME_SAMPLES // 2, FRAME_SAMPLES // 4
        rise, fall = frames[..., 1:half], frames[..., half + 1 :].flip(-1)
        even = torch.cat([frames[..., :1], rise + fall, frames[..., half : half + 1]], dim=2)
        odd = rise - fall
        rise, fall = even[..., :quarter], even[..., quarter + 1 :].flip(-1)
        even_cosine = torch.matmul(
            torch.cat([rise + fall, even[..., quarter : quarter + 1]], 2), self.even_cosine
        )
        odd_cosine = torch.matmul(rise - fall, self.odd_cosine)
        rise, fall = odd[..., : quarter - 1], odd[..., quarter:].flip(-1)
        even_sine = torch.matmul(rise - fall, self.even_sine)
        total = torch.cat([rise + fall, odd[..., quarter - 1 : quarter]], dim=2)
        odd_sine = torch.matmul(total, self.odd_sine)
        even_power = even_cosine * even_cosine + even_sine * even_sine
        return torch.cat([even_power, odd_cosine * odd_cosine + odd_sine * odd_sine], dim=2)
