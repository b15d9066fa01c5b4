"""Which values the ends of a colour map stand for."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

#: Between these percentiles of the well-covered pixels a picture is not clipped.
PERCENTILES = (0.5, 99.5)
#: A narrower range is widened to this: a constant image is to look constant, not like rounding.
LEAST_SPAN = 1e-3

_Ends = Literal["neither", "min", "max", "both"]


@dataclass(frozen=True)
class ColourScale:
    """How numbers become colours."""

    low: float
    """Value of the first colour."""
    high: float
    """Value of the last colour."""
    colours: str
    """Name of a matplotlib colour map."""
    label: str
    """What the colour bar says: quantity and unit."""
    clipped: _Ends = "neither"
    """Which ends of the map also stand for values beyond them."""


def limits(values: np.ndarray, counted: np.ndarray, least_span: float) -> tuple[float, float]:
    """Return the 0.5th and 99.5th percentile of the finite values that count.

    Args:
        values: (h, w) real; NaN is left out.
        counted: (h, w) bool. When no finite value counts, all finite values do.
        least_span: The limits are moved apart to this around their middle.

    Returns:
        (low, high), finite and low < high; (0, 1) when nothing is finite.
    """
    finite = np.isfinite(values)
    used = values[finite & counted] if (finite & counted).any() else values[finite]
    if not used.size:
        return 0.0, 1.0
    low, high = (float(end) for end in np.percentile(used.astype(np.float64), PERCENTILES))
    missing = least_span - (high - low)
    if missing > 0:
        low, high = low - missing / 2, high + missing / 2
    return low, high


def symmetric_limits(
    values: np.ndarray, counted: np.ndarray, least_span: float
) -> tuple[float, float]:
    """Return limits of |values|, as `limits` chooses them, on both sides of 0."""
    low, high = limits(values, counted, least_span)
    end = max(abs(low), abs(high))
    return -end, end


def ends_clipped(values: np.ndarray, low: float, high: float) -> _Ends:
    """Tell on which sides finite values lie beyond the limits."""
    finite = values[np.isfinite(values)]
    below, above = bool((finite < low).any()), bool((finite > high).any())
    if below and above:
        return "both"
    return "min" if below else "max" if above else "neither"


def amplitude_scale(values: np.ndarray, counted: np.ndarray) -> ColourScale:
    """Choose colours for (h, w) amplitudes."""
    size = float(np.max(values, where=np.isfinite(values), initial=0.0))
    low, high = limits(values, counted, LEAST_SPAN * (size or 1.0))
    return ColourScale(low, high, "bone", "amplitude (no unit)", ends_clipped(values, low, high))


def phase_scale(values: np.ndarray, counted: np.ndarray, *, cyclic: bool) -> ColourScale:
    """Choose colours for (h, w) phases; a full circle of them needs a map without ends."""
    if cyclic:
        return ColourScale(-np.pi, np.pi, "twilight_shifted", "phase (rad)")
    low, high = limits(values, counted, LEAST_SPAN)
    return ColourScale(low, high, "viridis", "phase (rad)", ends_clipped(values, low, high))


def difference_scale(values: np.ndarray, counted: np.ndarray, unit: str) -> ColourScale:
    """Choose colours for (h, w) differences, white where there is none."""
    low, high = symmetric_limits(values, counted, LEAST_SPAN)
    return ColourScale(low, high, "RdBu_r", f"difference ({unit})", ends_clipped(values, low, high))
