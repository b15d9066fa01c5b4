"""What a network between two stages adds to the object, tile by tile."""

from typing import NamedTuple

import torch

from ptychopinn.generators.canvas_network import CanvasNetwork
from ptychopinn.generators.tiles import TILE_PX, tiles

#: Channels that a network sees: object - 1 and its last move, real and imaginary, coverage, dose.
CHANNELS = 6


class Light(NamedTuple):
    """What the networks know of the illumination."""

    illumination: torch.Tensor
    """(B, H, W) photons per pixel."""
    peak: torch.Tensor
    """(B, 1, 1) photons per pixel where it is brightest."""
    seen_share: float
    """Share of the light on good pixels of the detector; the canvas knows no more of a mask."""

    @property
    def coverage(self) -> torch.Tensor:
        """(B, H, W) in [0, 1), 0 in the dark."""
        return self.illumination / (self.illumination + 0.05 * self.peak)

    @property
    def dose(self) -> torch.Tensor:
        """(B, H, W) logarithm of the photons that were seen, of order one: how noisy it is."""
        return torch.log10((self.seen_share * self.illumination).clamp_min(0.1)) / 4

    def cut(self, rows: slice, columns: slice) -> "Light":
        """Return the same of a rectangle of the canvas."""
        return Light(self.illumination[:, rows, columns], self.peak, self.seen_share)

    @classmethod
    def of(cls, illumination: torch.Tensor, seen_share: float) -> "Light":
        """Take the light of all patterns, (B, H, W)."""
        return cls(illumination, illumination.amax(dim=(-2, -1), keepdim=True), seen_share)


def correction(
    network: CanvasNetwork, canvas: torch.Tensor, before: torch.Tensor, light: Light
) -> torch.Tensor:
    """Return coverage * Net(object - 1, object - before, coverage, log illumination).

    A canvas larger than a tile is answered tile by tile, each with a halo as wide as the network
    can see, so that the answer is the same and memory does not grow with the canvas.

    Args:
        network: On any device.
        canvas: (B, H, W) complex object.
        before: (B, H, W) complex object at the start of the stage.
        light: Of the same canvas.

    Returns:
        (B, H, W) complex, where the canvas lives.
    """
    shape = (canvas.shape[-2], canvas.shape[-1])
    side = TILE_PX // network.multiple_px * network.multiple_px
    cut = list(tiles(shape, side, network.halo_px))
    if len(cut) == 1:
        return _answer(network, canvas, before, light)
    whole = torch.empty_like(canvas)
    for tile in cut:
        rows, columns = tile.outer
        seen, began = canvas[:, rows, columns], before[:, rows, columns]
        answer = _answer(network, seen, began, light.cut(rows, columns))
        whole[:, *tile.inner] = answer[:, *tile.inside]
    return whole


def _answer(
    network: CanvasNetwork, canvas: torch.Tensor, before: torch.Tensor, light: Light
) -> torch.Tensor:
    """Return the answer for one tile, or for a canvas that is no larger."""
    move, coverage = canvas - before, light.coverage
    channels = [canvas.real - 1, canvas.imag, move.real, move.imag, coverage, light.dose]
    # The network may live on another device, and in another precision.
    answer = network(torch.stack(channels, dim=1).to(network.fold.weight)).to(coverage)
    return torch.complex(coverage * answer[:, 0], coverage * answer[:, 1])
