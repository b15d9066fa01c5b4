"""Frames of files that tell positions in metres, or to the pixel: nothing is left to guess."""

from pathlib import Path

import numpy as np

from ptychopinn.io.frame import Frame, frame_of_scan, require_positions
from ptychopinn.io.refusal import refusal
from ptychopinn.io.scan_step import PIXELS, StoredUnit

#: Positions computed from metres carry rounding errors; this many decimals are meant.
_MEANT_DECIMALS = 6


def from_window_middle(middles_px: np.ndarray, n: int) -> np.ndarray:
    """Return positions (of the centre pixel N // 2) from the middle of the window, (N - 1) / 2."""
    return middles_px + (n // 2 - (n - 1) / 2)


def to_window_middle(positions_px: np.ndarray, n: int) -> np.ndarray:
    """Return the middle of the window, (N - 1) / 2, from positions (of its pixel N // 2)."""
    return positions_px - (n // 2 - (n - 1) / 2)


def exact_frame(
    path: str | Path,
    what: str,
    positions_px: np.ndarray,
    n: int,
    shape: tuple[int, int] | None,
    stored: StoredUnit = PIXELS,
) -> Frame:
    """Return the frame of positions that are known to index an object array.

    Where windows reach beyond the object, or there is none, it is the canvas about the scan.

    Args:
        path: The file, for messages.
        what: What the positions are called in the file.
        positions_px: (K, 2) float64 (y, x) of the window's centre pixel on the object.
        n: Side N of a pattern.
        shape: (H, W) of the object; None = there is none.
        stored: What the file has the positions in, so that the likely unit can be named.

    Raises:
        DataError: Positions are not finite, all equal, absurdly close or far apart.
    """
    require_positions(path, what, positions_px, n, stored)
    if shape is None:
        return frame_of_scan(positions_px, n)
    for moved in (positions_px, np.round(positions_px, _MEANT_DECIMALS)):
        start = np.floor(moved) - n // 2
        if ((start >= 0) & (start + n <= np.array(shape))).all():
            return Frame(moved, shape, True, [])
    frame = frame_of_scan(positions_px, n)
    said = (
        f"The object ({shape[0]} x {shape[1]}) is set aside because windows reach beyond it; the "
        f"canvas is {frame.canvas_shape[0]} x {frame.canvas_shape[1]}."
    )
    return frame._replace(decisions=[said, *frame.decisions])


def require_pixel(path: str | Path, what: str, pixel_m: tuple[float | None, float | None]) -> None:
    """Refuse pixels that are missing or not above 0, without which metres tell no position."""
    if not all(side is not None and 0 < side < np.inf for side in pixel_m):
        found = " and ".join("nothing" if side is None else f"{side:g}" for side in pixel_m)
        raise refusal(
            path, what, found, "positive metres", "set them in the program that wrote the file"
        )
