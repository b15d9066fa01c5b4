"""Reassembly under its original name; no TensorFlow is involved."""

from typing import Any

import numpy as np
import torch

from ptycho.window_frame import window_corners
from ptychopinn.errors import ShapeError
from ptychopinn.reassembly import merge_patches
from ptychopinn.scan import canvas_covering


def reassemble_position(patches: Any, global_offsets: Any, M: int = 10) -> np.ndarray:
    """Merge the middles of patches into one image.

    The canvas is that of the positions: pixel k of the image is pixel k of the object that they
    index, and per axis the size is ``round(2 * mid + 1)`` with ``mid = (min + max) / 2``, larger
    where a window would not fit.

    Args:
        patches: (B, N, N, 1) complex.
        global_offsets: (B, 1, 2, 1) positions (x, y) of the patches in pixels.
        M: Side of the middle of each patch that is used; the middles of neighbours must overlap.

    Returns:
        (H, W) complex64; 0 where no middle lies.

    Raises:
        ShapeError: The shapes are not these, or M is not between 1 and N.
    """
    waves = np.asarray(patches)
    offsets = np.asarray(global_offsets, dtype=np.float64)
    _require_shapes(waves, offsets, M)
    n = waves.shape[1]
    positions = offsets[:, 0, ::-1, 0]
    corners = window_corners(positions, n)
    # Windows that begin before the object move it: they have to lie somewhere.
    move = np.maximum(-corners.min(axis=0), 0)
    shape = np.maximum(canvas_covering(positions + move, n), corners.max(axis=0) + move + n)
    merged = merge_patches(
        torch.from_numpy(waves[None, ..., 0].astype(np.complex64)),
        _middle(len(waves), n, M),
        torch.from_numpy(corners + move)[None],
        (int(shape[0]), int(shape[1])),
    )
    return np.asarray(merged[0].numpy())


def _require_shapes(waves: np.ndarray, offsets: np.ndarray, M: int) -> None:
    square = waves.ndim == 4 and waves.shape[1] == waves.shape[2] and waves.shape[3] == 1
    if not square or offsets.shape != (len(waves), 1, 2, 1) or not 1 <= M <= waves.shape[1]:
        raise ShapeError(
            f"reassemble_position: found patches {waves.shape}, offsets {offsets.shape} and M = "
            f"{M}, wanted (B, N, N, 1), (B, 1, 2, 1) and 1 <= M <= N."
        )


def _middle(count: int, n: int, M: int) -> torch.Tensor:
    """Return (1, B, N, N) weights, 1 in the middle M x M pixels."""
    weight = torch.zeros(n, n)
    start = n // 2 - M // 2
    weight[start : start + M, start : start + M] = 1
    return weight.expand(1, count, n, n)
