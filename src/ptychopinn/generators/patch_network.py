"""A network from picture to picture becomes a generator: input before it, head behind it."""

from collections.abc import Callable

import torch
from torch import nn

from ptychopinn.config import FnoConfig, GeneratorConfig
from ptychopinn.generators.head import Head
from ptychopinn.generators.patch_input import PatchInput
from ptychopinn.generators.registry import GeneratorSize, PatchGenerator
from ptychopinn.generators.spectral import require_modes
from ptychopinn.physics.view import BatchView


class PatchNetwork(PatchGenerator):
    """Object patches by any network that maps channels to channels of the same size.

        patches = head(body(input(view)))

    Args:
        source: Counts to channels.
        body: (B, inputs, N, N) real to (B, 2 C, N, N) real: C maps for amplitude or real part,
            then C for phase or imaginary part. It covers the whole window: where no light falls
            its answer has no weight in the merge, and no gradient.
        head: Maps to complex values, as a correction of the lifted patches or of 1.

    Shapes:
        A `BatchView` of (B, C, N, N) counts to (B, C, N, N) complex64.
    """

    def __init__(self, source: PatchInput, body: nn.Module, head: Head) -> None:
        super().__init__()
        self.source = source
        self.body = body
        self.head = head
        self.frame = source.frame

    def forward(self, view: BatchView) -> torch.Tensor:
        """Return (B, C, N, N) complex patches."""
        picture = self.source(view)
        with self.layers_in_precision(picture.channels):
            maps = self.body(picture.channels)
        first, second = maps.to(picture.channels).chunk(2, dim=1)
        return self.head(first, second, picture.estimate)


def around_body(
    build: Callable[[int, int, FnoConfig], nn.Module], config: GeneratorConfig, size: GeneratorSize
) -> PatchNetwork:
    """Return the generator around a body of the Fourier family.

    Args:
        build: Body from (channels in, channels out, settings).
        config: Lift, transform, head, and the settings of the body.
        size: N and C.

    Raises:
        ConfigError: More modes than N // 2; said before anything is built.
    """
    settings = config.fno
    require_modes(settings.modes, size.n)
    source = PatchInput.of(config)
    body = build(source.count(size.group_size), 2 * size.group_size, settings)
    head = Head(config.head, settings.amplitude_activation, settings.amplitude_ceiling)
    return PatchNetwork(source, body, head)
