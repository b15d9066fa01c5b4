"""How a stored detector frame is turned, flipped and cut to become a pattern."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np


@dataclass(frozen=True)
class FrameView:
    """The way from a stored frame to a pattern.

    Steps, in this order: zero frequency from the corner to the middle, rows and columns swapped,
    rows flipped, columns flipped, window cut out.
    """

    shape: tuple[int, int]
    """Rows and columns of a stored frame."""
    corner: bool = False
    """True when the zero frequency is stored at index (0, 0)."""
    transpose: bool = False
    """Swap rows and columns."""
    flip_rows: bool = False
    """The last row becomes the first (up-down)."""
    flip_columns: bool = False
    """The last column becomes the first (left-right)."""
    window: tuple[slice, slice] | None = None
    """Rows and columns that are kept, with start and stop, after all turns; None = all."""

    @property
    def turned_shape(self) -> tuple[int, int]:
        """Rows and columns after all turns, before the cut."""
        return (self.shape[1], self.shape[0]) if self.transpose else self.shape

    @property
    def pattern_shape(self) -> tuple[int, int]:
        """Rows and columns of a pattern."""
        rows, columns = self._window()
        return rows.stop - rows.start, columns.stop - columns.start

    def cut(self, rows: slice, columns: slice) -> Self:
        """Return the view that keeps these rows and columns of what this one shows."""
        old_rows, old_columns = self._window()
        window = (
            slice(old_rows.start + rows.start, old_rows.start + rows.stop),
            slice(old_columns.start + columns.start, old_columns.start + columns.stop),
        )
        return replace(self, window=window)

    def stored_window(self) -> tuple[slice, slice]:
        """Return the rows and columns of the stored frame that have to be read."""
        if self.corner:
            return slice(0, self.shape[0]), slice(0, self.shape[1])
        rows, columns = self._window()
        height, width = self.turned_shape
        if self.flip_columns:
            columns = slice(width - columns.stop, width - columns.start)
        if self.flip_rows:
            rows = slice(height - rows.stop, height - rows.start)
        return (columns, rows) if self.transpose else (rows, columns)

    def turn(self, read: np.ndarray) -> np.ndarray:
        """Turn what was read of `stored_window`, (..., rows, columns), into patterns.

        Without a zero frequency in the corner this is a view of the array.
        """
        if self.corner:
            read = np.fft.fftshift(read, axes=(-2, -1))
        if self.transpose:
            read = read.swapaxes(-2, -1)
        if self.flip_rows:
            read = read[..., ::-1, :]
        if self.flip_columns:
            read = read[..., ::-1]
        return read[(..., *self._window())] if self.corner else read

    def apply(self, stored: np.ndarray) -> np.ndarray:
        """Turn whole stored frames (..., rows, columns), a mask for instance, into patterns."""
        return self.turn(stored[(..., *self.stored_window())])

    def _window(self) -> tuple[slice, slice]:
        if self.window is not None:
            return self.window
        height, width = self.turned_shape
        return slice(0, height), slice(0, width)
