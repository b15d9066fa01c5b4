"""Groups of patterns in the layout of the original: channels last, axis order (x, y)."""

import math
from typing import Any

import numpy as np
import torch

from ptychopinn.physics.canvas import extract_patches
from ptychopinn.scan import Scan


def lay_out(
    scan: Scan, coords: tuple[np.ndarray, np.ndarray], indices: np.ndarray
) -> dict[str, Any]:
    """Return groups as a dictionary of arrays, in the order of their centres.

    ``diffraction`` (B, N, N, C) float32 amplitudes; ``X_full`` the same times
    sqrt((N/2)^2 / mean over patterns of sum(amplitude^2)); ``coords_offsets`` (B, 1, 2, 1) position
    of the group's centre pattern; ``coords_relative`` (B, 1, 2, C) minus the positions from there;
    ``nn_indices`` (B, C) pattern numbers; ``Y`` (B, N, N, C) complex64 true patches or None;
    ``objectGuess``; ``scan``, the `Scan` itself; and ``canvas_positions`` (B, 2), (y, x) of the
    centres on its canvas. The other positions are (x, y). Channel c is the grid
    cell (row c // gridsize, column c % gridsize) of the group's positions.

    Args:
        scan: What was measured.
        coords: (K,) columns and rows of the positions as they were given.
        indices: (B, C) pattern numbers, the centre of a group first.
    """
    xy = np.stack(coords, axis=1)
    indices = indices[np.argsort(indices[:, 0], kind="stable")]
    centres = xy[indices[:, 0]]
    members = _in_grid_order(indices, xy)
    amplitude = _channels_last(np.sqrt(scan.counts()), members)
    relative = -(xy[members] - centres[:, None]).transpose(0, 2, 1)[:, None]
    return {
        "diffraction": amplitude,
        "X_full": amplitude * np.float32(normalisation(scan)),
        "coords_offsets": centres[:, None, :, None],
        "coords_relative": relative,
        "nn_indices": members,
        "Y": _true_patches(scan, members),
        "objectGuess": scan.truth,
        "scan": scan,
        "canvas_positions": centres[:, ::-1] + _move(scan, xy),
    }


def normalisation(scan: Scan) -> float:
    """Return sqrt((N/2)^2 / mean over patterns of sum(amplitude^2))."""
    return float((scan.n / 2) / np.sqrt(scan.counts().sum(axis=(1, 2), dtype=np.float64).mean()))


def _move(scan: Scan, xy: np.ndarray) -> np.ndarray:
    """Return the whole pixels (y, x) by which reading moved the positions onto the canvas.

    Half a pixel more only says the same position by another point of the window.
    """
    return np.floor(scan.positions_px[0] - xy[0, ::-1] + 1e-3)


def _in_grid_order(indices: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Sort (B, C) groups into rows of the grid by y, and each row by x."""
    side = math.isqrt(indices.shape[1])
    by_row = np.take_along_axis(indices, np.argsort(xy[indices, 1], axis=1, kind="stable"), 1)
    rows = by_row.reshape(-1, side, side)
    order = np.argsort(xy[rows, 0], axis=2, kind="stable")
    return np.take_along_axis(rows, order, 2).reshape(indices.shape)


def _channels_last(patterns: np.ndarray, members: np.ndarray) -> np.ndarray:
    """(K, N, N) patterns and (B, C) numbers to (B, N, N, C)."""
    return np.ascontiguousarray(patterns[members].transpose(0, 2, 3, 1))


def _true_patches(scan: Scan, members: np.ndarray) -> np.ndarray | None:
    if scan.truth is None:
        return None
    corners = np.floor(scan.positions_px).astype(np.int64) - scan.n // 2
    truth = torch.from_numpy(scan.truth)[None]
    patches = extract_patches(truth, torch.from_numpy(corners)[None], scan.n)[0].numpy()
    return _channels_last(patches, members)
