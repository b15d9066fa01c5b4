"""Fourier neural operators for patches: spectral blocks, with or without a local refiner."""

import dataclasses

import torch
from torch import nn
from torch.nn import functional as F

from ptychopinn.config import FnoConfig, GeneratorConfig
from ptychopinn.generators.head import begin_small
from ptychopinn.generators.patch_network import PatchNetwork, around_body
from ptychopinn.generators.registry import GeneratorSize, register
from ptychopinn.generators.spectral import SpectralLayer


class SpatialLifter(nn.Module):
    """Channels by two 3x3 convolutions with GELU, resolution kept.

    A spectral layer drops the high frequencies; what it should know of edges must be in its
    channels before.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.

    Shapes:
        (B, in_channels, N, N) real to (B, out_channels, N, N) real.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the lifted channels."""
        return F.gelu(self.second(F.gelu(self.first(x))))


class PtychoBlock(nn.Module):
    """A Fourier block with a local road beside the spectral one and a bypass around both.

        y = x + GELU(Spectral(x) + Conv3x3(x))

    The spectral layer sees the whole patch at its lowest frequencies, the convolution carries the
    detail that a truncated spectrum drops.

    Args:
        channels: Channels in and out.
        modes: Frequencies kept of each axis.

    Shapes:
        (B, channels, N, N) real to the same.
    """

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        self.spectral = SpectralLayer(channels, channels, modes)
        self.local = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the channels after one block."""
        return x + F.gelu(self.spectral(x) + self.local(x))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with GELU and a bypass: (B, channels, N, N) real to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the channels after one block."""
        return x + self.second(F.gelu(self.first(x)))


class CascadedFno(nn.Module):
    """Fourier blocks for the whole, then a convolutional refiner for the edges.

        y = Conv1x1( refiner_blocks x Residual3x3( blocks x PtychoBlock( SpatialLifter(x) ) ) )

    Without refiner blocks it is the plain Fourier neural operator at one resolution.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        settings: Width, blocks, modes, refiner blocks.

    Shapes:
        (B, in_channels, N, N) real to (B, out_channels, N, N) real; modes <= N // 2.

    Source: Li et al., ICLR 2021, arXiv:2010.08895; for patches of ptychography, trained on physics:
    Hoidn et al., Sci. Rep. 13, 22789 (2023).
    """

    def __init__(self, in_channels: int, out_channels: int, settings: FnoConfig) -> None:
        super().__init__()
        width = settings.width
        self.lifter = SpatialLifter(in_channels, width)
        self.blocks = nn.Sequential(
            *(PtychoBlock(width, settings.modes) for _ in range(settings.blocks))
        )
        self.refiner = nn.Sequential(
            *(ResidualBlock(width) for _ in range(settings.refiner_blocks))
        )
        self.last = nn.Conv2d(width, out_channels, 1)
        begin_small(self.last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the maps."""
        return self.last(self.refiner(self.blocks(self.lifter(x))))


@register("fno", group_size=4, steps=4000, summary="Fourier blocks, then a convolutional refiner")
def build_fno(config: GeneratorConfig, size: GeneratorSize) -> PatchNetwork:
    """Build `CascadedFno` between input and head."""
    return around_body(CascadedFno, config, size)


@register("fno_vanilla", group_size=4, steps=4000, summary="Fourier blocks alone, one resolution")
def build_fno_vanilla(config: GeneratorConfig, size: GeneratorSize) -> PatchNetwork:
    """Build `CascadedFno` without refiner between input and head."""
    plain = dataclasses.replace(config, fno=dataclasses.replace(config.fno, refiner_blocks=0))
    return around_body(CascadedFno, plain, size)
