"""Positions of stages in metres: judged by the step of the scan, and turned into pixels."""

from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ptychopinn.io.refusal import refusal

#: Steps between neighbours that a scan can have, in object pixels; above it as shares of N.
_LEAST_STEP_PX, _MOST_STEP = 0.02, 2.0
#: Units in which positions are found, in metres.
_UNITS = {"mm": 1e-3, "um": 1e-6, "nm": 1e-9, "m": 1.0}


def to_pixels(
    path: str | Path, key: str, positions_m: np.ndarray, pixel_sizes_m: tuple[float, float], n: int
) -> np.ndarray:
    """Return positions in canvas pixels, (K, 2), whose zero is still that of the stages.

    Args:
        path: The file, for messages.
        key: What the positions are called in it.
        positions_m: (K, 2) float64 (y, x) of the probe on the object, in metres.
        pixel_sizes_m: Height and width of an object pixel.
        n: Side N of a pattern.

    Raises:
        DataError: The step between neighbours is far from what a scan with these patterns has;
            the sentence names the unit in which it would not be.
    """
    positions_px = positions_m / np.array(pixel_sizes_m)
    pixel_size_m = pixel_sizes_m[1]
    step = _step(positions_px)
    if step is None or _LEAST_STEP_PX <= step <= _MOST_STEP * n:
        return positions_px
    raise refusal(
        path,
        key,
        f"a step of {step * pixel_size_m:.3g} m between neighbours, {step:.3g} object pixels of "
        f"{pixel_size_m:.3g} m",
        f"{_LEAST_STEP_PX} to {_MOST_STEP * n:g} pixels",
        _advice(step, pixel_size_m, n),
    )


def _step(positions: np.ndarray) -> float | None:
    """Return the median distance to the nearest other position, or nothing for one place."""
    finite = positions[np.isfinite(positions).all(axis=1)]
    different = np.unique(finite, axis=0)
    if len(different) < 2:
        return None
    chosen = different[:: max(1, len(different) // 2000)]
    return float(np.median(cKDTree(different).query(chosen, k=2)[0][:, 1]))


def _advice(step_px: float, pixel_size_m: float, n: int) -> str:
    """Return the likely reading of positions that were read as metres."""
    as_found = step_px * pixel_size_m
    fitting = {
        unit: as_found * factor / pixel_size_m
        for unit, factor in _UNITS.items()
        if 0.2 <= as_found * factor / pixel_size_m <= n / 2
    }
    if 0.2 <= as_found <= n / 2:
        fitting["px"] = as_found
    if not fitting:
        return "check positions, energy, distance and detector pixel (--map)"
    words = " or ".join(f"{unit} (a step of {step:.3g} pixels)" for unit, step in fitting.items())
    unit = next(iter(fitting))
    return f"they look like {words}: say --map position_unit={unit}, or correct energy and distance"
