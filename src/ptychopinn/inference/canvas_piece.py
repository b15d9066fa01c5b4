"""The part of a canvas that a batch sees, while the canvas itself lives elsewhere."""

from typing import NamedTuple, Self

import torch


class CanvasPiece(NamedTuple):
    """The rectangle of the canvas that a batch sees, where the batch is worked on."""

    rows: slice
    columns: slice
    corners: torch.Tensor
    """(1, C, 2), counted from the rectangle's first pixel."""

    @classmethod
    def around(cls, corners: torch.Tensor, n: int) -> Self:
        """Return the smallest rectangle that holds windows of N pixels at (1, C, 2) corners."""
        top, left = corners.amin(dim=(0, 1)).tolist()
        bottom, right = corners.amax(dim=(0, 1)).tolist()
        inside = corners - corners.amin(dim=(0, 1))
        return cls(slice(top, bottom + n), slice(left, right + n), inside)

    def of(self, canvas: torch.Tensor) -> torch.Tensor:
        """Return a view of the rectangle in (1, H, W) values."""
        return canvas[:, self.rows, self.columns]
