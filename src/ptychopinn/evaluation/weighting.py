"""Weights: which pixels count and how much, and the averages they define."""

from typing import Any

import numpy as np

from ptychopinn.axes import require_axes
from ptychopinn.errors import DataError


def as_weight(weight: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """Return a usable (H, W) float64 weight; None means that every pixel counts the same.

    Args:
        weight: (H, W) real or bool, 0 where nothing was measured. Any scale.
        shape: (H, W) that the weight must have.

    Raises:
        ShapeError: The weight has another shape, or is complex.
        DataError: A weight is negative or not finite, or all of them are 0.
    """
    if weight is None:
        return np.ones(shape)
    require_axes("weight", weight, "H W", kind="real", H=shape[0], W=shape[1])
    values = np.asarray(weight, dtype=np.float64)
    if not np.isfinite(values).all() or values.min() < 0:
        raise DataError("weight: found negative or non-finite values, wanted numbers >= 0.")
    if not values.any():
        raise DataError("weight: 0 everywhere, so there is nothing to compare.")
    return values


def require_finite(name: str, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return (H, W) values with those that carry no weight and are not finite set to 0.

    Raises:
        DataError: A value that counts is NaN or infinite.
    """
    bad = ~np.isfinite(values)
    if (bad & (weight > 0)).any():
        y, x = np.argwhere(bad & (weight > 0))[0]
        raise DataError(
            f"{name}: found NaN or infinity at pixel (y, x) = ({y}, {x}); give it weight 0, or "
            "compare a smaller region."
        )
    return np.where(bad, 0, values) if bad.any() else values


def weighted_mean(values: np.ndarray, weight: np.ndarray) -> Any:
    """Return sum(weight * values) / sum(weight), real or complex as the values are."""
    return np.sum(weight * values) / np.sum(weight)


def support_box(weight: np.ndarray) -> tuple[slice, slice]:
    """Return the slices (y, x) of the smallest rectangle that holds every weight above 0."""
    rows = np.flatnonzero(weight.any(axis=1))
    columns = np.flatnonzero(weight.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
