"""Positions of stages in metres: judged by the step of the scan, and turned into pixels."""

from pathlib import Path

import numpy as np

from ptychopinn.io.scan_step import StoredUnit, require_step


def to_pixels(
    path: str | Path,
    key: str,
    positions: np.ndarray,
    unit_m: float,
    pixel_sizes_m: tuple[float, float],
    n: int,
) -> np.ndarray:
    """Return positions in canvas pixels, (K, 2), whose zero is still that of the stages.

    Args:
        path: The file, for messages.
        key: What the positions are called in it.
        positions: (K, 2) float64 (y, x) of the probe on the object.
        unit_m: What one of their numbers is in metres.
        pixel_sizes_m: Height and width of an object pixel.
        n: Side N of a pattern.

    Raises:
        DataError: The step between neighbours is far from what a scan with these patterns has;
            the sentence names the unit in which it would not be.
    """
    positions_px = positions * unit_m / np.array(pixel_sizes_m)
    width_m = pixel_sizes_m[1]
    require_step(path, key, positions_px, n, StoredUnit(width_m / unit_m, width_m))
    return positions_px
