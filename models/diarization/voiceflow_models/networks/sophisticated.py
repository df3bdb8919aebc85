"""The local diarizer for accuracy first: a large encoder in front of the heads that all networks
share.

::

    audio ─> Conformer, or WavLM / Wav2Vec2 ─> frames of 40 ms ─> bridge ─> heads
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import Tensor, nn

from .conformer import Conformer, ConformerConfig
from .heads import LocalDiarizer
from .pretrained import Pretrained, read_settings

PRETRAINED_RATE = 0.04
"""Share of the learning rate for a pretrained encoder: 2e-5 where all else is trained at 5e-4."""


@dataclass(frozen=True)
class SophisticatedConfig:
    """The encoder and the sizes of the heads; with the default Conformer 90 million parameters."""

    conformer: dict | None = field(default_factory=lambda: asdict(ConformerConfig()))
    """Fields of :class:`ConformerConfig`; without them ``pretrained`` is asked."""
    pretrained: dict | None = None
    """What :func:`read_settings` gave."""
    channels: int = 512
    voice_dilations: tuple[int, ...] = (2, 4)
    voice_channels: int = 1024
    context_layers: int = 1
    heads: int = 8
    embedding_dim: int = 256
    dropout: float = 0.1

    def __post_init__(self):
        if (self.conformer is None) == (self.pretrained is None):
            raise ValueError("encoder: expected either conformer or pretrained, found both or neither")


def small() -> SophisticatedConfig:
    """A Conformer of 1.2 million parameters, to be trained on a processor."""
    conformer = ConformerConfig(width=96, blocks=4, heads=4, kernel=15, subsampling_channels=24)
    return SophisticatedConfig(
        asdict(conformer), channels=96, voice_channels=192, heads=4, embedding_dim=128, dropout=0.05
    )


class Sophisticated(LocalDiarizer):
    """A large encoder in front of the heads."""

    def __init__(self, config: SophisticatedConfig | None = None, folder: Path | None = None):
        """``folder`` holds the weights that a pretrained encoder begins with."""
        super().__init__(config or SophisticatedConfig())
        c = self.config
        if c.conformer is not None:
            self.encoder: nn.Module = Conformer(ConformerConfig(**c.conformer))
        else:
            self.encoder = Pretrained(c.pretrained, folder)
        self.bridge = nn.Sequential(nn.Linear(self.encoder.width, c.channels), nn.LayerNorm(c.channels))
        self._add_heads()

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] -> class scores [batch, frames, 7], voice features
        [batch, frames, channels]."""
        shared = self.bridge(self.encoder(audio)).transpose(1, 2)
        return self._classified(shared, audio)

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """A pretrained encoder is trained gently, or it forgets what it knows."""
        if self.config.pretrained is None:
            return super().parameter_groups()
        learned = list(self.encoder.model.parameters())
        known = set(learned)
        others = [parameter for parameter in self.parameters() if parameter not in known]
        return [(others, 1.0), (learned, PRETRAINED_RATE)]


def from_encoder(folder: Path) -> Sophisticated:
    """A network in front of which stands the encoder of a folder, with its weights."""
    return Sophisticated(SophisticatedConfig(None, read_settings(folder)), folder)
