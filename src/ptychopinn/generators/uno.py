"""The U-shaped neural operator of the `neuralop` library."""

import contextlib
import functools
import importlib
import io
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ptychopinn.config import FnoConfig, GeneratorConfig
from ptychopinn.errors import ConfigError
from ptychopinn.generators.head import begin_small
from ptychopinn.generators.hybrid import capped_channels, modes_by_level, require_levels
from ptychopinn.generators.patch_network import PatchNetwork, around_body
from ptychopinn.generators.registry import GeneratorSize, register
from ptychopinn.generators.spectral import INSTALL, SpectralLayer, neuralop


class ResizingSpectralLayer(nn.Module):
    """A spectral layer followed by a change of size, in the form that `neuralop`'s blocks call.

    Its own (SpectralConv, 2.0.0) changes size by cutting or filling the spectrum at the end of the
    row axis, where the negative row frequencies are: they are lost, or take the place of others.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        n_modes: Frequencies of both signs together, of each axis.
        resolution_scaling_factor: Size of the answer for that of the input, of each axis.
        **_rest: What SpectralConv knows besides; the U-NO leaves it at its defaults.

    Shapes:
        (B, inputs, N, N) real to (B, outputs, M, M) real.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        n_modes: tuple[int, int],
        resolution_scaling_factor: list[float] | None = None,
        **_rest: Any,
    ) -> None:
        super().__init__()
        self.spectral = SpectralLayer(inputs, outputs, n_modes[0] // 2)
        self.factor = (resolution_scaling_factor or [1.0])[0]

    def transform(
        self, x: torch.Tensor, output_shape: tuple[int, int] | None = None
    ) -> torch.Tensor:
        """Return the channels at the size of the answer."""
        size = output_shape or [round(side * self.factor) for side in x.shape[-2:]]
        if list(size) == list(x.shape[-2:]):
            return x
        return F.interpolate(x, size=tuple(size), mode="bilinear", antialias=True)

    def forward(self, x: torch.Tensor, output_shape: tuple[int, int] | None = None) -> torch.Tensor:
        """Return the filtered channels."""
        return self.transform(self.spectral(x), output_shape)


def uno_body(in_channels: int, out_channels: int, settings: FnoConfig) -> nn.Module:
    """Return `neuralop`'s U-NO: Fourier blocks down to the coarsest level and up again, with skips.

        levels = 3: blocks answer with sizes N, N/2, N/4, N/2, N, N; the first two are handed to the
        last two, whose inputs have their size

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        settings: Width, levels, modes, most channels.

    Returns:
        A module from (B, in_channels, N, N) real to (B, out_channels, N, N) real; N a multiple of
        2^(levels - 1).

    Raises:
        ConfigError: `neuralop` is not installed.

    Source: Rahman et al., U-shaped Neural Operators, TMLR 2023, arXiv:2204.11127.
    """
    if neuralop() is None:
        raise ConfigError(
            f"generator.name: uno is part of neuralop, which does not import here; run {INSTALL} "
            "or choose hybrid, which is like it."
        )
    channels, modes = capped_channels(settings), modes_by_level(settings)
    levels = _levels_of_blocks(settings.levels)
    before = [0, *levels[:-1]]
    models = importlib.import_module("neuralop.models")
    layers = importlib.import_module("neuralop.layers.fno_block")
    with contextlib.redirect_stdout(io.StringIO()):  # 2.0.0 prints its settings
        body: Any = models.UNO(
            in_channels=in_channels,
            out_channels=out_channels,
            hidden_channels=settings.width,
            lifting_channels=2 * settings.width,
            projection_channels=2 * settings.width,
            positional_embedding=None,
            channel_mlp_skip="linear",  # its soft gate keeps the number of channels
            n_layers=len(levels),
            uno_out_channels=[channels[level] for level in levels],
            uno_n_modes=[[2 * modes[max(pair)]] * 2 for pair in zip(before, levels, strict=True)],
            uno_scalings=[[2.0 ** (a - b)] * 2 for a, b in zip(before, levels, strict=True)],
            horizontal_skips_map={
                len(levels) - 1 - block: block for block in range(settings.levels - 1)
            },
            operator_block=functools.partial(layers.FNOBlocks, conv_module=ResizingSpectralLayer),
        )
    begin_small(body.projection.fcs[-1])
    return body


def _levels_of_blocks(levels: int) -> list[int]:
    """Return the level that every block answers at: down, up, and once more at full size."""
    return [*range(levels), *range(levels - 2, -1, -1), 0]


@register("uno", group_size=4, steps=4000, summary="the U-shaped neural operator of neuralop")
def build_uno(config: GeneratorConfig, size: GeneratorSize) -> PatchNetwork:
    """Build the U-NO between input and head."""
    require_levels(config.fno.levels, size.n)
    generator = around_body(uno_body, config, size)
    generator.knows_half_precision = False  # torch resizes its maps in full precision alone
    return generator
