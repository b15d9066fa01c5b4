"""A U-net whose encoder is spectral and whose decoder is convolutional."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ptychopinn.config import FnoConfig, GeneratorConfig
from ptychopinn.errors import ConfigError
from ptychopinn.generators.fno import PtychoBlock, ResidualBlock, SpatialLifter
from ptychopinn.generators.head import begin_small
from ptychopinn.generators.patch_network import PatchNetwork, around_body
from ptychopinn.generators.registry import GeneratorSize, register


def capped_channels(settings: FnoConfig) -> list[int]:
    """Return the channels of every level: doubled from one to the next, up to the limit."""
    most = max(settings.width, settings.most_channels)
    return [min(settings.width * 2**level, most) for level in range(settings.levels)]


def modes_by_level(settings: FnoConfig) -> list[int]:
    """Return the modes of every level: halved with the resolution, at least 1.

    A level of half the pixels has half the frequencies; halving keeps the finest detail that the
    spectral layers see the same in terms of the level's own pixels.
    """
    return [max(1, settings.modes // 2**level) for level in range(settings.levels)]


def require_levels(levels: int, n: int) -> None:
    """Refuse more halvings than a pattern of side N can take.

    Raises:
        ConfigError: N is not a multiple of 2^(levels - 1), or the coarsest map has one pixel.
    """
    step = 2 ** (levels - 1)
    if n % step or n // step < 2:
        raise ConfigError(
            f"generator.fno.levels: expected N to be at least 2 and a multiple of 2^(levels - 1), "
            f"got {levels} levels for patterns of {n} x {n} pixels; lower --generator.fno.levels "
            "or crop the patterns."
        )


class HybridUno(nn.Module):
    """Spectral encoder blocks with down-sampling, convolutional decoder with skips.

        encoder  x_0 = SpatialLifter(x),  e_l = PtychoBlock(x_l),  x_{l+1} = Conv2x2 stride 2 (e_l)
        decoder  d_l = Residual3x3( e_l + up(Conv1x1(d_{l+1})) ),  d_L = e_L

    Channels double from level to level up to ``most_channels``: without that limit the convolutions
    of each level more would have four times the weights of those above.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        settings: Width, levels, modes, most channels.

    Shapes:
        (B, in_channels, N, N) real to (B, out_channels, N, N) real; N a multiple of
        2^(levels - 1).

    Source: Rahman et al., U-NO, TMLR 2023, arXiv:2204.11127, with the decoder of a U-net.
    """

    def __init__(self, in_channels: int, out_channels: int, settings: FnoConfig) -> None:
        super().__init__()
        channels = capped_channels(settings)
        modes = modes_by_level(settings)
        self.lifter = SpatialLifter(in_channels, channels[0])
        self.encoder = nn.ModuleList(map(PtychoBlock, channels, modes))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(channels))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(channels))
        self.decoder = nn.ModuleList(map(ResidualBlock, channels[:-1]))
        self.last = nn.Conv2d(channels[0], out_channels, 1)
        begin_small(self.last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the maps."""
        x = self.encoder[0](self.lifter(x))
        skips = []
        for down, block in zip(self.down, self.encoder[1:], strict=True):
            skips.append(x)
            x = block(down(x))
        for skip, up, block in reversed(list(zip(skips, self.up, self.decoder, strict=True))):
            x = block(skip + F.interpolate(up(x), scale_factor=2.0, mode="bilinear"))
        return self.last(x)


@register("hybrid", group_size=4, steps=4000, summary="spectral encoder, convolutional decoder")
def build_hybrid(config: GeneratorConfig, size: GeneratorSize) -> PatchNetwork:
    """Build `HybridUno` between input and head."""
    require_levels(config.fno.levels, size.n)
    return around_body(HybridUno, config, size)
