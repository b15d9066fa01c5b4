"""Small things in HDF5 files of facilities: one number with its unit, positions, masks."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from ptychopinn.io.geometry import LENGTHS_M, converted
from ptychopinn.io.hdf5 import read_dataset
from ptychopinn.io.refusal import refusal

_UNIT_NAMES = ("units", "unit", "Units")


def first_dataset(file: h5py.File, keys: Sequence[str]) -> str | None:
    """Return the first key that is a dataset, links followed; None when none is."""
    return next((key for key in keys if isinstance(file.get(key), h5py.Dataset)), None)


def unit_of(file: h5py.File, key: str) -> str | None:
    """Return the unit that a dataset names in an attribute, or nothing."""
    attributes = file[key].attrs
    for name in _UNIT_NAMES:
        if name in attributes:
            text = attributes[name]
            text = text[0] if isinstance(text, np.ndarray) and text.size else text
            return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return None


def length_unit(file: h5py.File, path: str | Path, key: str, usual: str) -> tuple[float, list[str]]:
    """Return what one unit of a dataset of lengths is in metres, and a sentence unless it is 1.

    Args:
        file: The open file.
        path: Its path, for messages.
        key: The dataset.
        usual: The unit that is meant when the file names none.
    """
    named = unit_of(file, key)
    unit = (named or usual).strip().casefold()
    if unit not in LENGTHS_M:
        raise refusal(path, key, f"the unit '{named}'", "a length", "say --map position_unit=um")
    if LENGTHS_M[unit] == 1.0:
        return 1.0, []
    why = "" if named else ", which is usual there; override with --map position_unit="
    return LENGTHS_M[unit], [f"{key}: read as {unit}{why}."]


def read_text(file: h5py.File, key: str) -> str:
    """Return a dataset that is a text; nothing ("") when it is absent or something else."""
    item = file.get(key)
    if not isinstance(item, h5py.Dataset) or item.size != 1:
        return ""
    value = np.asarray(item[()]).reshape(-1)[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_quantity(
    file: h5py.File, path: str | Path, keys: Sequence[str], what: str, usual: str
) -> tuple[float | None, list[str]]:
    """Return the first energy or length that is there, in eV or m, and what was converted.

    A value for each pattern gives their median. 0, as some writers put for what they do not know,
    counts as absent.

    Args:
        file: The open file.
        path: Its path, for messages.
        keys: Where it may be, the best place first.
        what: ``energy``, ``wavelength``, ``distance`` or ``pixel``.
        usual: The unit that is meant when the file names none.
    """
    for key in keys:
        if first_dataset(file, [key]) is None or file[key].dtype.kind not in "iuf":
            continue
        values = np.asarray(file[key][()], dtype=np.float64)
        values = values[np.isfinite(values) & (values != 0)]
        if values.size:
            return converted(path, key, what, float(np.median(values)), unit_of(file, key), usual)
    return None, []


def read_columns(file: h5py.File, path: str | Path, key: str) -> np.ndarray:
    """Return positions as stored, (K, 2) or (K, 3) float64; refuses another shape."""
    stored = read_dataset(file, path, key, kinds="iuf", ranks=(2, 3))
    flat = stored.reshape(-1, stored.shape[-1])
    if flat.shape[1] in (2, 3):
        return flat.astype(np.float64)
    if stored.ndim == 2 and stored.shape[0] in (2, 3):
        return stored.T.astype(np.float64)
    raise refusal(
        path, key, f"shape {stored.shape}", "(n, 2) or (n, 3) positions", "name another dataset"
    )


def require_pairs(path: str | Path, key: str, patterns: int, positions: int) -> None:
    """Refuse patterns and positions that are not equally many."""
    if patterns != positions:
        raise refusal(
            path,
            key,
            f"{positions} positions and {patterns} patterns",
            "one position for each pattern",
            'name their numbers (--map "indexes=PLACE position_indexes=PLACE"), or remove those '
            "without a partner",
        )
