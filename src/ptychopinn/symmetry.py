"""The eight symmetries of the square: how a detector can stand to the axes of a scan."""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Turn:
    """One of the eight ways to lay a square onto itself.

    Steps, in this order: rows and columns are swapped, rows are flipped, columns are flipped.
    Patterns and positions that are turned alike are the same experiment, seen from another side.
    """

    transpose: bool = False
    """Swap rows and columns, y and x."""
    flip_rows: bool = False
    """The last row becomes the first; y becomes -y."""
    flip_columns: bool = False
    """The last column becomes the first; x becomes -x."""

    @property
    def matrix(self) -> np.ndarray:
        """(2, 2) int: a point (y, x) goes to ``matrix @ (y, x)``."""
        swapped = np.eye(2, dtype=int)[:, ::-1] if self.transpose else np.eye(2, dtype=int)
        signs = [-1 if flip else 1 for flip in (self.flip_rows, self.flip_columns)]
        return np.diag(signs) @ swapped

    @classmethod
    def from_matrix(cls, matrix: np.ndarray) -> Self:
        """Return the turn that has this matrix."""
        rows, columns = matrix.sum(axis=1)
        return cls(bool(matrix[0, 0] == 0), bool(rows < 0), bool(columns < 0))

    def after(self, first: "Turn") -> "Turn":
        """Return the turn that does ``first``, then this one."""
        return Turn.from_matrix(self.matrix @ first.matrix)

    @property
    def inverse(self) -> "Turn":
        """The turn that undoes this one."""
        return Turn.from_matrix(self.matrix.T)

    def of_images(self, images: np.ndarray) -> np.ndarray:
        """Turn (..., rows, columns) images; a view of the same memory."""
        turned = images.swapaxes(-2, -1) if self.transpose else images
        turned = turned[..., ::-1, :] if self.flip_rows else turned
        return turned[..., ::-1] if self.flip_columns else turned

    def of_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """Turn (..., 2) vectors (y, x) about the origin."""
        return vectors @ self.matrix.T


STORED = Turn()

#: What ``--orientation`` can do to patterns, by the names that NumPy has for it.
ORIENTATIONS = {
    "stored": STORED,
    "rot90": Turn(True, True, False),
    "rot180": Turn(False, True, True),
    "rot270": Turn(True, False, True),
    "flipud": Turn(False, True, False),
    "fliplr": Turn(False, False, True),
    "transpose": Turn(True, False, False),
    "antitranspose": Turn(True, True, True),
}

#: What ``--scan-axes`` can do to positions: y and x are swapped first, then change sign.
SCAN_AXES = {
    "stored": STORED,
    "flip-y": Turn(False, True, False),
    "flip-x": Turn(False, False, True),
    "flip-yx": Turn(False, True, True),
    "swap": Turn(True, False, False),
    "swap-flip-y": Turn(True, True, False),
    "swap-flip-x": Turn(True, False, True),
    "swap-flip-yx": Turn(True, True, True),
}


def orientation_name(turn: Turn) -> str:
    """Return the value of ``--orientation`` that turns patterns so."""
    return next(name for name, known in ORIENTATIONS.items() if known == turn)


def scan_axes_name(turn: Turn) -> str:
    """Return the value of ``--scan-axes`` that turns positions so."""
    return next(name for name, known in SCAN_AXES.items() if known == turn)
