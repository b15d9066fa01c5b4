"""A large canvas in overlapping tiles, so that a network's memory does not grow with it."""

from collections.abc import Iterator
from typing import NamedTuple

#: Side of a tile without its halo, in pixels: the activations of a network take some 100 MiB.
TILE_PX = 512


class Tile(NamedTuple):
    """A rectangle of the canvas that is answered for, and what is looked at for it."""

    inner: tuple[slice, slice]
    """Rows and columns answered for; those of all tiles cover the canvas once."""
    outer: tuple[slice, slice]
    """Rows and columns looked at: `inner` with its halo, cut at the edges of the canvas."""

    @property
    def inside(self) -> tuple[slice, slice]:
        """Where `inner` lies in `outer`."""
        first, second = (
            slice(i.start - o.start, i.stop - o.start)
            for i, o in zip(self.inner, self.outer, strict=True)
        )
        return first, second


def tiles(shape: tuple[int, int], side_px: int, halo_px: int) -> Iterator[Tile]:
    """Yield the tiles of an (H, W) canvas, row by row; one tile when it is no larger than that.

    Args:
        shape: (H, W).
        side_px: Side of a tile without its halo.
        halo_px: Width of what is looked at around it.
    """
    for rows in _cuts(shape[0], side_px):
        for columns in _cuts(shape[1], side_px):
            inner = (rows, columns)
            first, second = (
                slice(max(0, cut.start - halo_px), min(length, cut.stop + halo_px))
                for cut, length in zip(inner, shape, strict=True)
            )
            yield Tile(inner, (first, second))


def _cuts(length: int, side_px: int) -> list[slice]:
    return [slice(start, min(start + side_px, length)) for start in range(0, length, side_px)]
