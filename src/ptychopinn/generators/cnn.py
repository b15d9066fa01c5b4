"""The encoder-decoder of the PtychoPINN paper, with an optional physical input."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from ptychopinn.config import CnnConfig, GeneratorConfig
from ptychopinn.errors import ConfigError
from ptychopinn.generators.head import Head
from ptychopinn.generators.patch_input import PatchInput
from ptychopinn.generators.registry import GeneratorSize, PatchGenerator, register
from ptychopinn.physics.view import BatchView

#: Sizes of a pattern that the filter ladder is defined for.
SUPPORTED_N = (32, 64, 128, 256, 512)


def filter_ladder(n: int, width: float) -> list[int]:
    """Return the encoder's filters: 32, 64, 128 at N = 64, one finer level per doubling of N.

    The coarsest map is 8 x 8 pixels and the widest level has 128 filters at every N.

    Raises:
        ConfigError: N is not supported.
    """
    if n not in SUPPORTED_N:
        raise ConfigError(
            f"generator.name: cnn supports N = {', '.join(map(str, SUPPORTED_N))}, got N = {n}; "
            "crop or bin the patterns, or use --generator unrolled, which takes any N."
        )
    levels = int(math.log2(n // 8))
    return [max(4, int(width * 128 / 2 ** (levels - 1 - level))) for level in range(levels)]


def _convolutions(inputs: int, outputs: int, normalised: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers.append(nn.Conv2d(channels, outputs, 3, padding=1))
        if normalised:
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


class _Encoder(nn.Module):
    """Convolutions and pooling down to 8 x 8; keeps the maps before each pooling."""

    def __init__(self, inputs: int, ladder: list[int], normalised: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            _convolutions(a, b, normalised)
            for a, b in zip([inputs, *ladder[:-1]], ladder, strict=True)
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        skips = []
        for block in self.blocks:
            x = block(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        return x, skips


class _Decoder(nn.Module):
    """One branch (amplitude or phase): up from 8 x 8 to the map that the last layer reads.

    Without skips the map has N/2 x N/2 pixels and *is* the central part of the patch: amplitudes
    carry no picture, so no pixel has a place yet. With skips (a lifted input is a picture) it has
    N x N pixels and the centre is cut out of it.
    """

    def __init__(
        self, ladder: list[int], patches: int, *, skips: bool, settings: CnnConfig
    ) -> None:
        super().__init__()
        self.with_skips = skips
        reversed_ladder = ladder[::-1] if skips else ladder[:0:-1]
        sources = [ladder[-1], *reversed_ladder[:-1]]
        self.blocks = nn.ModuleList(
            _convolutions(a + (b if skips else 0), b, settings.normalisation == "batch")
            for a, b in zip(sources, reversed_ladder, strict=True)
        )
        width = reversed_ladder[-1]
        self.outer_channels = max(1, round(settings.outer_fraction * width))
        self.centre = nn.Conv2d(width - self.outer_channels, patches, 3, padding=1)
        self.outer = nn.Conv2d(self.outer_channels, patches, 3, padding=1)

    def forward(self, x: torch.Tensor, skips: list[torch.Tensor]) -> torch.Tensor:
        for level, block in enumerate(self.blocks):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skips[-1 - level]], dim=1) if self.with_skips else x)
        centre = self.centre(x[:, : -self.outer_channels])
        coarse = x[:, -self.outer_channels :]
        if self.with_skips:
            quarter = x.shape[-1] // 4
            centre = centre[..., quarter:-quarter, quarter:-quarter]
            coarse = F.avg_pool2d(coarse, 2)
        outer = F.interpolate(self.outer(coarse), scale_factor=2.0, mode="bilinear")
        return _centre_in_surroundings(centre, outer)


def _centre_in_surroundings(centre: torch.Tensor, outer: torch.Tensor) -> torch.Tensor:
    """Put (B, C, N/2, N/2) into the middle of (B, C, N, N)."""
    quarter = outer.shape[-1] // 4
    pad = (quarter,) * 4
    hole = F.pad(torch.ones_like(centre), pad)
    return F.pad(centre, pad) + outer * (1 - hole)


class Cnn(PatchGenerator):
    """Object patches by convolutions: one encoder, a branch for each of the head's two maps.

        patch = head(first branch, second branch)

    High resolution in the central N/2 x N/2, a coarse continuation outside.

    Args:
        settings: Width, share of filters for the surroundings, normalisation.
        size: N and C; C patterns enter as channels and C patches leave.
        source: Counts to channels. With a lift they are pictures, and the decoder takes skips.
        head: Maps to complex values.

    Shapes:
        A `BatchView` of (B, C, N, N) counts to (B, C, N, N) complex64.

    Raises:
        ConfigError: N has no filter ladder.

    Source: Hoidn et al., Sci. Rep. 13, 22789 (2023), as described there.
    """

    def __init__(
        self, settings: CnnConfig, size: GeneratorSize, source: PatchInput, head: Head
    ) -> None:
        super().__init__()
        self.source = source
        self.head = head
        self.frame = source.frame
        ladder = filter_ladder(size.n, settings.width)
        normalised = settings.normalisation == "batch"
        self.encoder = _Encoder(source.count(size.group_size), ladder, normalised)
        self.amplitude, self.phase = (
            _Decoder(ladder, size.group_size, skips=source.lifted, settings=settings)
            for _ in range(2)
        )

    def forward(self, view: BatchView) -> torch.Tensor:
        """Return (B, C, N, N) complex patches."""
        picture = self.source(view)
        with self.layers_in_precision(picture.channels):
            deepest, skips = self.encoder(picture.channels)
            first, second = self.amplitude(deepest, skips), self.phase(deepest, skips)
        return self.head(first.to(picture.channels), second.to(picture.channels), picture.estimate)


@register("cnn", group_size=4, steps=4000, summary="the encoder-decoder of the PtychoPINN paper")
def build_cnn(config: GeneratorConfig, size: GeneratorSize) -> Cnn:
    """Build `Cnn`."""
    settings = config.cnn
    head = Head(config.head, settings.amplitude_activation, settings.amplitude_ceiling)
    return Cnn(settings, size, PatchInput.of(config), head)
