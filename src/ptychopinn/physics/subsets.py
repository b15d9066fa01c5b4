"""Spatially interleaved subsets of a scan: one sweep becomes several steps."""

from dataclasses import dataclass

import torch

#: Bits of a canvas coordinate that the curve looks at: 2^20 pixels.
_COORDINATE_BITS = 20


@dataclass(frozen=True)
class Subset:
    """Every ``count``-th pattern along a space-filling curve, from number ``index`` on."""

    index: int
    count: int

    def within(self, other: "Subset") -> bool:
        """Tell whether another subset, of no more parts, holds all of its patterns."""
        return self.count % other.count == 0 and self.index % other.count == other.index


#: The subset that holds every pattern.
EVERY = Subset(0, 1)


def z_order(corners: torch.Tensor) -> torch.Tensor:
    """Return the order of windows along a Z-shaped space-filling curve.

    Neighbours on the canvas are mostly neighbours on the curve, so that every k-th pattern along
    it covers the whole scan evenly, whatever path the scan took.

    Args:
        corners: (..., C, 2) int64 non-negative pixels.

    Returns:
        (..., C) int64 pattern numbers in the order of the curve.

    Source: Morton, A computer oriented geodetic data base, IBM (1966).
    """
    return torch.argsort(z_codes(corners), dim=-1, stable=True)


def z_codes(corners: torch.Tensor) -> torch.Tensor:
    """Return how far along the curve of `z_order` each (..., C, 2) window lies: (..., C) int64.

    Windows that share leading bits share a square of the canvas, or one half of it.
    """
    code = torch.zeros_like(corners[..., 0])
    for bit in range(_COORDINATE_BITS):
        pair = (corners >> bit) & 1
        code |= (pair[..., 0] << (2 * bit + 1)) | (pair[..., 1] << (2 * bit))
    return code


def most_subsets(patterns: int) -> int:
    """Return the largest power of two that leaves at least two patterns in a subset."""
    return 1 << max(0, (patterns // 2).bit_length() - 1)


def visiting_order(count: int) -> list[Subset]:
    """Return the subsets of a sweep, far ones after each other (bits of the index reversed).

    Args:
        count: A power of two.
    """
    bits = count.bit_length() - 1
    return [
        Subset(sum(((i >> b) & 1) << (bits - 1 - b) for b in range(bits)), count)
        for i in range(count)
    ]
