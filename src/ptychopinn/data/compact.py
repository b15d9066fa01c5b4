"""Batches of neighbours on the canvas, so that the rectangle that each sees is no larger than need.

A canvas that does not fit on a device is seen there in rectangles, one a batch.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from ptychopinn.physics.subsets import z_codes

#: A rectangle is at most this many times as large as what the windows in it cover. A full square
#: is all covered, the rim of a round scan half.
SPREAD = 4


@dataclass(frozen=True)
class Compact:
    """What the rectangle around the windows of a batch may be."""

    n: int
    """Side N of a window."""
    most_px: float = math.inf
    """Most pixels of a rectangle; one window is always allowed."""

    def cut(self, corners: np.ndarray, batch_size: int) -> list[np.ndarray]:
        """Cut windows into batches at the borders of squares of the canvas.

        The squares are those of the Z-order curve, halved until they hold no more than a batch and
        are covered well; neighbours that fit together are put together again.

        Args:
            corners: (M, 2) int64 first pixels.
            batch_size: Most windows in a batch.

        Returns:
            Numbers of the windows of each batch, along the curve.
        """
        codes = z_codes(torch.from_numpy(corners)).numpy()
        order = np.argsort(codes, kind="stable")
        corners, codes = corners[order], codes[order]

        def allowed(first: int, last: int) -> bool:
            if last - first <= 1:
                return True
            return last - first <= batch_size and self._allows(corners[first:last])

        bounds = [0]
        waiting = [(0, len(codes))] if len(codes) else []
        while waiting:
            first, last = waiting.pop()
            if not allowed(first, last):
                middle = _border(codes, first, last)
                waiting += [(middle, last), (first, middle)]
            elif len(bounds) > 1 and allowed(bounds[-2], last):
                bounds[-1] = last
            else:
                bounds.append(last)
        return [order[a:b] for a, b in pairwise(bounds)]

    def _allows(self, corners: np.ndarray) -> bool:
        """Tell whether the rectangle around some windows is small enough."""
        height, width = (np.ptp(corners, axis=0) + self.n).tolist()
        area = height * width
        return area <= self.most_px and area <= SPREAD * covered_px(corners, self.n)


def covered_px(corners: np.ndarray, n: int) -> int:
    """Return how many pixels (M, 2) windows cover: never too many, a few too few.

    Counted in cells of a quarter of a window, of which those count that lie in one entirely.
    """
    cell = max(1, n // 4)
    inside = np.arange(max(1, n // cell - 1))
    first = np.unique(-(-corners // cell), axis=0)
    rows, columns = (first[:, axis, None] + inside for axis in (0, 1))
    width = int(columns.max()) + 1
    touched = rows[:, :, None] * width + columns[:, None, :]
    return len(np.unique(touched)) * cell * cell


def _border(codes: np.ndarray, first: int, last: int) -> int:
    """Return where a run of the curve crosses the border between its two largest squares."""
    low, high = int(codes[first]), int(codes[last - 1])
    if low == high:
        return (first + last) // 2
    bit = (low ^ high).bit_length() - 1
    return first + int(np.searchsorted(codes[first:last], high >> bit << bit))
