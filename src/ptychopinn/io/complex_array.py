"""Probes and objects as files hold them, brought to (P, N, N) and (H, W)."""

from pathlib import Path

import numpy as np

from ptychopinn.errors import DataError
from ptychopinn.io.refusal import refusal
from ptychopinn.physics.modes import require_modes

_NUMERIC = "biufc"


def as_probe(path: str | Path, key: str, array: np.ndarray, n: int | None = None) -> np.ndarray:
    """Return a stored probe as (P, N, N) complex64, a new array.

    Takes (N, N), (P, N, N), (N, N, 1), and (coherent, P, N, N), of which the first coherent probe
    is used; real ones too.

    Refuses another shape, another N than ``n``, more modes than make sense, NaN or infinity, and a
    probe without power.
    """
    if array.dtype.kind not in _NUMERIC:
        raise refusal(path, key, f"type {array.dtype}", "complex numbers", "check the key")
    probe = _modes_first(array)
    if probe is None or probe.shape[0] == 0 or probe.shape[1] != probe.shape[2]:
        raise refusal(
            path, key, f"shape {array.shape}", "(N, N) or (P, N, N)", "reshape or crop the probe"
        )
    if n is not None and probe.shape[1] != n:
        raise refusal(
            path,
            key,
            f"a probe of {probe.shape[1]} x {probe.shape[2]} pixels",
            f"{n} x {n}, as the patterns",
            "crop or pad it, or give another with --probe FILE",
        )
    require_modes(
        *(f"{path}: {key}", len(probe), probe.shape[1], "store the strongest modes only"),
        error=DataError,
    )
    made = probe.astype(np.complex64)
    if not np.isfinite(made).all():
        raise refusal(
            path, key, "NaN or infinity", "finite values", "give another probe with --probe FILE"
        )
    if not made.any():
        raise refusal(
            path,
            key,
            "only zeros, no power",
            "an illumination",
            "give another probe with --probe FILE",
        )
    return made


def _modes_first(array: np.ndarray) -> np.ndarray | None:
    """Return a view with the axes (P, N, N), or nothing when the shape is none of a probe."""
    if array.ndim == 2:
        return array[None]
    if array.ndim == 3:
        last_is_mode = array.shape[2] == 1 and array.shape[0] == array.shape[1]
        return np.moveaxis(array, 2, 0) if last_is_mode else array
    return array[0] if array.ndim == 4 and array.shape[0] > 0 else None


def require_object_header(
    path: str | Path, key: str, shape: tuple[int, ...], dtype: np.dtype
) -> tuple[int, int]:
    """Return (H, W) of an object stored as (H, W) or (1, H, W); refuses what is neither."""
    plane = shape[1:] if len(shape) == 3 and shape[0] == 1 else shape
    if dtype.kind not in _NUMERIC or len(plane) != 2 or 0 in plane:
        raise refusal(
            path,
            key,
            f"shape {shape} of type {dtype}",
            "an object (H, W) or (1, H, W) of numbers",
            "save one layer",
        )
    return plane[0], plane[1]


def is_constant(image: np.ndarray) -> bool:
    """Tell whether all values are the same, as in a placeholder."""
    return bool((image == image.flat[0]).all())
