"""The factorised Fourier neural operator: one axis at a time, so weights grow with modes alone."""

import torch
from torch import nn
from torch.nn import functional as F

from ptychopinn.config import FnoConfig, GeneratorConfig
from ptychopinn.generators.fno import SpatialLifter
from ptychopinn.generators.head import begin_small
from ptychopinn.generators.patch_network import PatchNetwork, around_body
from ptychopinn.generators.registry import GeneratorSize, register
from ptychopinn.generators.spectral import SpectralLayer

#: Channels between the two layers of a feed-forward part, as a multiple of those around it.
_EXPANSION = 2


class FactorizedSpectral(nn.Module):
    """A spectral layer along each axis by itself.

        y = Spectral_rows(x) + Spectral_columns(x)

    Each has inputs x outputs x (m + 1) complex weights; a spectral layer of two dimensions has
    2 m times as many.

    Args:
        channels: Channels in and out.
        modes: Frequencies kept, m.

    Shapes:
        (B, channels, H, W) real to the same.
    """

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        self.along_rows = SpectralLayer(channels, channels, modes, dimensions=1)
        self.along_columns = SpectralLayer(channels, channels, modes, dimensions=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum over both axes."""
        across = _every_line(self.along_rows, x)
        return across + _every_line(self.along_columns, x.mT).mT


def _every_line(layer: SpectralLayer, x: torch.Tensor) -> torch.Tensor:
    """Apply a layer of one dimension to the last axis of (B, channels, H, W)."""
    batch, channels, height, width = x.shape
    lines = x.transpose(1, 2).reshape(batch * height, channels, width)
    return layer(lines).reshape(batch, height, -1, width).transpose(1, 2)


class FfnoBlock(nn.Module):
    """A factorised Fourier block; the bypass leads around the feed-forward part too.

        y = x + Conv1x1(GELU(Conv1x1(Factorized(x))))

    Args:
        channels: Channels in and out.
        modes: Frequencies kept of each axis.

    Shapes:
        (B, channels, H, W) real to the same.
    """

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        self.spectral = FactorizedSpectral(channels, modes)
        self.widen = nn.Conv2d(channels, _EXPANSION * channels, 1)
        self.narrow = nn.Conv2d(_EXPANSION * channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the channels after one block."""
        return x + self.narrow(F.gelu(self.widen(self.spectral(x))))


class Ffno(nn.Module):
    """Factorised Fourier blocks at one resolution.

        y = Conv1x1( blocks x FfnoBlock( SpatialLifter(x) ) )

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        settings: Width, blocks, modes.

    Shapes:
        (B, in_channels, N, N) real to (B, out_channels, N, N) real; modes <= N // 2.

    Source: Tran et al., Factorized Fourier Neural Operators, ICLR 2023, arXiv:2111.13802.
    """

    def __init__(self, in_channels: int, out_channels: int, settings: FnoConfig) -> None:
        super().__init__()
        width = settings.width
        self.lifter = SpatialLifter(in_channels, width)
        self.blocks = nn.Sequential(
            *(FfnoBlock(width, settings.modes) for _ in range(settings.blocks))
        )
        self.last = nn.Conv2d(width, out_channels, 1)
        begin_small(self.last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the maps."""
        return self.last(self.blocks(self.lifter(x)))


@register("ffno", group_size=4, steps=4000, summary="Fourier blocks factorised along each axis")
def build_ffno(config: GeneratorConfig, size: GeneratorSize) -> PatchNetwork:
    """Build `Ffno` between input and head."""
    return around_body(Ffno, config, size)
