"""The frame of a scan: positions in canvas pixels and a canvas that every window fits on."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ptychopinn.io.refusal import refusal
from ptychopinn.io.scan_step import PIXELS, StoredUnit, nearest_step, require_step, unit_advice
from ptychopinn.scan import LARGEST_CANVAS_PX, canvas_covering

#: Positions computed from metres carry rounding errors; this many decimals are meant.
_MEANT_DECIMALS = 6


class Frame(NamedTuple):
    """Where the windows of a scan lie."""

    positions_px: np.ndarray
    """(K, 2) float64 (y, x) of the window's centre pixel on the canvas."""
    canvas_shape: tuple[int, int]
    """(H, W) of the canvas."""
    on_object: bool
    """True when the canvas is the object array of the file, pixel by pixel."""
    decisions: list[str]
    """Sentences that say what was decided."""


def require_positions(
    path: str | Path, what: str, positions_px: np.ndarray, n: int, stored: StoredUnit = PIXELS
) -> None:
    """Refuse positions that are not finite, all equal, in the wrong unit, or absurdly far apart.

    Args:
        path: The file, for messages.
        what: What the positions are called in the file.
        positions_px: (K, 2) float64 (y, x).
        n: Side N of a pattern.
        stored: What the file has them in, so that the likely unit can be named.
    """
    wrong = np.flatnonzero(~np.isfinite(positions_px).all(axis=1))
    if len(wrong):
        raise refusal(
            path,
            what,
            f"NaN or infinity at pattern {wrong[0]} ({len(wrong)} such patterns)",
            "finite pixels",
            "remove those patterns or repair their positions",
        )
    span = np.ptp(positions_px, axis=0)
    if len(positions_px) > 1 and not span.any():
        raise refusal(path, what, "equal positions", "positions that differ", "check the export")
    require_step(path, what, positions_px, n, stored)
    farthest = np.abs(positions_px).max()
    if (span[0] + n) * (span[1] + n) > LARGEST_CANVAS_PX or farthest > LARGEST_CANVAS_PX:
        raise refusal(
            path,
            what,
            f"positions up to {farthest:.4g} that span {span[0]:.4g} x {span[1]:.4g}",
            f"pixels of a canvas of at most {LARGEST_CANVAS_PX} pixels",
            f"remove stray positions, or check the unit: {_advice(positions_px, n, stored)}",
        )


def _advice(positions_px: np.ndarray, n: int, stored: StoredUnit) -> str:
    return unit_advice(nearest_step(positions_px) or 0.0, n, stored)


def frame_of_scan(positions_px: np.ndarray, n: int) -> Frame:
    """Return the frame of positions without an object array: a canvas about the scan.

    The positions stay as they are where the canvas about them (`scan.canvas_covering`) holds every
    window. Otherwise whole pixels are added so that the first window starts at 0.
    """
    start = np.floor(positions_px.min(axis=0)) - n // 2
    height, width = canvas_covering(positions_px, n)
    too_large = height * width > LARGEST_CANVAS_PX
    move = -start if too_large else np.maximum(-start, 0)
    if not move.any():
        return Frame(positions_px, (height, width), False, [])
    moved = positions_px + move
    reason = "would need too large a canvas" if too_large else "started outside the canvas"
    return Frame(
        moved,
        canvas_covering(moved, n),
        False,
        [
            f"The positions were moved by (y, x) = ({move[0]:.0f}, {move[1]:.0f}) px because "
            f"windows {reason}; the first window now starts at 0."
        ],
    )


def frame_of_object(
    path: str | Path, what: str, positions_px: np.ndarray, n: int, shape: tuple[int, int]
) -> Frame:
    """Return the frame of an object array, when every window fits on it.

    Ptychodus writes the middle of the window, (N - 1) / 2, where this package means the centre
    pixel N // 2. Nothing in a file tells; but on the tight canvas of Ptychodus windows only fit
    when half a pixel is added, so that is tried second. An object that only holds the centres of
    the windows is set aside.

    Raises:
        DataError: Centres of windows lie outside the object.
    """
    for moved, said in _readings(positions_px, n):
        if _windows_fit(moved, n, shape):
            return Frame(moved, shape, True, said)
    outside = ((positions_px < -0.5) | (positions_px > np.array(shape) - 0.5)).any(axis=1)
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        y, x = positions_px[first]
        raise refusal(
            path,
            what,
            f"pattern {first} at (y, x) = ({y:.4g}, {x:.4g})",
            f"pixels on the {shape[0]} x {shape[1]} objectGuess",
            "check unit and origin of the positions, or remove objectGuess",
        )
    frame = frame_of_scan(positions_px, n)
    aside = (
        f"objectGuess ({shape[0]} x {shape[1]}) is set aside because windows reach beyond it; the "
        f"canvas is {frame.canvas_shape[0]} x {frame.canvas_shape[1]}."
    )
    return frame._replace(decisions=[aside, *frame.decisions])


def _readings(positions_px: np.ndarray, n: int) -> list[tuple[np.ndarray, list[str]]]:
    """Return the ways to read positions, the plainest first, each with what to say about it."""
    readings: list[tuple[np.ndarray, list[str]]] = [
        (positions_px, []),
        (np.round(positions_px, _MEANT_DECIMALS), []),
    ]
    if n % 2 == 0:
        said = (
            "Half a pixel was added to the positions because the windows only fit on objectGuess "
            "when positions mean the middle of the window, as Ptychodus writes them."
        )
        readings.append((np.round(positions_px + 0.5, _MEANT_DECIMALS), [said]))
    return readings


def _windows_fit(positions_px: np.ndarray, n: int, shape: tuple[int, int]) -> bool:
    start = np.floor(positions_px) - n // 2
    return bool(((start >= 0) & (start + n <= np.array(shape))).all())
