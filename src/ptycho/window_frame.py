"""Where the window around a position lies on an image: the same for cutting and for placing."""

import numpy as np


def window_corners(positions_px: np.ndarray, n: int) -> np.ndarray:
    """Return (B, 2) int64, first pixel (y, x) of the N x N window nearest to each position.

    Both ways to say where a window is, by its centre pixel N // 2 and by its middle (N - 1) / 2,
    round to the same window when the position is one that a window can have.
    """
    return np.floor(np.round(positions_px + 0.5, 6)).astype(np.int64) - n // 2


def cut_windows(image: np.ndarray, positions_px: np.ndarray, n: int) -> np.ndarray:
    """Return (B, N, N) windows of a (H, W) image; 0 beyond its border."""
    padded = np.pad(image, n)
    return np.stack([padded[y : y + n, x : x + n] for y, x in window_corners(positions_px, n) + n])
