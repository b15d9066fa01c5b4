"""How patterns agree with an image, kept in the group ``pattern_fit`` of its product."""

from pathlib import Path

import h5py
import numpy as np

from ptychopinn.io.hdf5 import read_dataset
from ptychopinn.io.refusal import refusal
from ptychopinn.scan import BAD_PIXEL_KINDS, BadPixels, PatternFit

_GROUP = "pattern_fit"
_RINGS = "half_data_frc"
#: Bad pixels are stored as numbers: 0 = good, then the kinds in their order.
_KINDS = tuple(BAD_PIXEL_KINDS)
_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def write_pattern_fit(file: h5py.File, fit: PatternFit) -> None:
    """Write a group with an array for each field; bad pixels as the number of their kind."""
    group = file.create_group(_GROUP)
    group.attrs["held_out"] = fit.held_out
    group["numbers"] = fit.numbers.astype(np.int64)
    group["shown"] = fit.shown.astype(np.int64)
    for name in ("deviance", "expected"):
        group[name] = getattr(fit, name).astype(np.float32)
    for name in ("detector_deviance", "mean_counts", "measured", "predicted"):
        group.create_dataset(name, data=getattr(fit, name).astype(np.float32), **_PACKED)
    if fit.bad_pixels is not None:
        group.create_dataset("bad_pixels", data=_as_numbers(fit.bad_pixels), **_PACKED)


def read_pattern_fit(file: h5py.File, path: str | Path, n: int) -> PatternFit | None:
    """Read what `write_pattern_fit` wrote, for patterns of N pixels; None where there is no group.

    Raises:
        DataError: Arrays are missing, or do not belong together.
    """
    if _GROUP not in file:
        return None
    numbers, shown = (_read(file, path, name, "iu", 1) for name in ("numbers", "shown"))
    sizes = {
        "deviance": (len(numbers),),
        "expected": (len(numbers),),
        "detector_deviance": (n, n),
        "mean_counts": (n, n),
        "measured": (len(shown), n, n),
        "predicted": (len(shown), n, n),
    }
    arrays = {
        name: _read(file, path, name, "f", len(shape), shape).astype(np.float32)
        for name, shape in sizes.items()
    }
    return PatternFit(
        numbers=numbers.astype(np.int64),
        shown=shown.astype(np.int64),
        held_out=bool(file[_GROUP].attrs.get("held_out", False)),
        bad_pixels=_read_bad_pixels(file, path, n),
        **arrays,
    )


def write_ring_correlation(file: h5py.File, rings: np.ndarray) -> None:
    """Write the (3, R) ring correlation of two halves of the data."""
    file[_RINGS] = np.asarray(rings, dtype=np.float64)


def read_ring_correlation(file: h5py.File, path: str | Path) -> np.ndarray | None:
    """Read the (3, R) ring correlation, where there is one."""
    if _RINGS not in file:
        return None
    stored = read_dataset(file, path, _RINGS, kinds="f", ranks=(2,)).astype(np.float64)
    return _of_shape(path, _RINGS, stored, (3, stored.shape[1]))


def _read(
    file: h5py.File,
    path: str | Path,
    name: str,
    kinds: str,
    rank: int,
    shape: tuple[int, ...] | None = None,
) -> np.ndarray:
    stored = read_dataset(file, path, f"{_GROUP}/{name}", kinds=kinds, ranks=(rank,))
    return stored if shape is None else _of_shape(path, f"{_GROUP}/{name}", stored, shape)


def _of_shape(path: str | Path, key: str, stored: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if stored.shape == shape:
        return stored
    raise refusal(path, key, f"shape {stored.shape}", f"{shape}", "write the product again")


def _as_numbers(bad: BadPixels) -> np.ndarray:
    numbers = np.zeros(bad.mask.shape, dtype=np.uint8)
    for kind, where in bad.kinds.items():
        numbers[where] = _KINDS.index(kind) + 1
    return numbers


def _read_bad_pixels(file: h5py.File, path: str | Path, n: int) -> BadPixels | None:
    if f"{_GROUP}/bad_pixels" not in file:
        return None
    numbers = _read(file, path, "bad_pixels", "u", 2, (n, n))
    kinds = {kind: numbers == place for place, kind in enumerate(_KINDS, start=1)}
    return BadPixels({kind: where for kind, where in kinds.items() if where.any()})
