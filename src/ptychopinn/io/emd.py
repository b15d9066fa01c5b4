"""4-D scans in EMD files (HDF5): py4DSTEM and emdfile 1.0, py4DSTEM before 0.14, EMD 0.x.

The scan is the dataset ``data`` (rows, columns, y, x) of a group that EMD marks as an array. Steps
stand in the datasets ``dim0`` to ``dim3`` (from ``dim1`` on before 1.0), with their units, or in
py4DSTEM's ``calibration``: ``R_pixel_size`` and ``Q_pixel_size``. Such files have no positions,
no probe and often no energy; what is missing is said with ``--map`` (see `raster`).
"""

from pathlib import Path

import h5py
import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.file_map import parse_map
from ptychopinn.io.geometry import LENGTHS_M, electron_wavelength_m
from ptychopinn.io.hdf5 import objects_in, opened_hdf5, require_readable
from ptychopinn.io.hdf5_fields import read_text
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.pattern_array import require_pattern_header
from ptychopinn.io.raster import Raster, placed
from ptychopinn.io.refusal import container, listed, refusal
from ptychopinn.io.stored_patterns import StoredPatterns, stored_in_hdf5
from ptychopinn.scan import Scan

_DEFAULTS = DataConfig()
_MARK = "emd_group_type"
_LEGACY = "4DSTEM_experiment/data/datacubes"
#: Units of a detector pixel: angles in rad, frequencies in 1/m.
_ANGLES = {"mrad": 1e-3, "rad": 1.0}
_FREQUENCIES = {
    **{"a^-1": 1e10, "1/a": 1e10, "å^-1": 1e10, "1/å": 1e10, "a-1": 1e10, "å⁻¹": 1e10},
    **{"nm^-1": 1e9, "1/nm": 1e9, "nm-1": 1e9, "1/m": 1.0, "m^-1": 1.0},
}


def is_emd(path: str | Path) -> bool:
    """Tell whether a file is EMD with a 4-D array."""
    if container(path) != "hdf5":
        return False
    with opened_hdf5(path) as file:
        return bool(_cubes(file))


def read_emd(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a 4-D scan of an EMD file; its patterns stay on disk.

    Raises:
        DataError: There are several scans; the step of the raster or the size of a pixel is not
            known; or what `as_scan` refuses.
    """
    with opened_hdf5(path) as file:
        key = _only(path, _cubes(file))
        cube = file[key]
        require_readable(path, cube)
        shape = (int(np.prod(cube.shape[:2])), *cube.shape[2:])
        require_pattern_header(path, key, shape, cube.dtype)
        raster, said = _raster(file, cube)
        where = placed(path, key, raster, parse_map(data.map), (shape[0], shape[2]))
        patterns, dark_said = _without_negatives(stored_in_hdf5(path, [cube]))
    return as_scan(
        Measurement(
            path=path,
            patterns=patterns,
            patterns_key=key,
            frame=where.frame,
            domain="counts",
            pixel_size_m=where.pixel_size_m,
            wavelength_m=where.wavelength_m,
            decisions=(*said, *where.decisions, *dark_said),
        ),
        data,
    )


def _cubes(file: h5py.File) -> list[str]:
    """Return the paths of all 4-D arrays."""
    return sorted(
        name
        for name, item in objects_in(file)
        if name.rpartition("/")[2] == "data"
        and isinstance(item, h5py.Dataset)
        and item.ndim == 4
        and item.size
        and (name.startswith(_LEGACY) or _is_array(item.parent))
    )


def _is_array(group: h5py.Group) -> bool:
    mark = group.attrs.get(_MARK)
    mark = mark.decode("utf-8", "replace") if isinstance(mark, bytes) else mark
    return mark is not None and str(mark) in ("array", "1")


def _only(path: str | Path, keys: list[str]) -> str:
    if len(keys) == 1:
        return keys[0]
    found = f"{len(keys)} scans ({listed(keys)})" if keys else "no 4-D array"
    raise refusal(path, "", found, "one", "save each to a file of its own")


def _raster(file: h5py.File, cube: h5py.Dataset) -> tuple[Raster, list[str]]:
    """Return what the file knows of its scan, and what was made of it."""
    metadata = _calibration(file)
    steps = [_axis(cube, axis) for axis in range(4)]
    of_scan = _calibrated(metadata, "R") or (steps[0] if steps[0] and steps[1] else None)
    of_columns = _calibrated(metadata, "R") or steps[1]
    of_detector = _calibrated(metadata, "Q") or steps[3]
    step = None
    if of_scan and of_columns and {of_scan[1], of_columns[1]} <= set(LENGTHS_M):
        step = (of_scan[0] * LENGTHS_M[of_scan[1]], of_columns[0] * LENGTHS_M[of_columns[1]])
    size, unit = of_detector or (0.0, "")
    voltage = _number(metadata, "accelerating_voltage") or _number(metadata, "energy")
    return Raster(
        (int(cube.shape[0]), int(cube.shape[1])),
        step_m=step,
        wavelength_m=electron_wavelength_m(voltage) if voltage and voltage > 1e3 else None,
        angle_rad=size * _ANGLES[unit] if unit in _ANGLES else None,
        frequency_per_m=size * _FREQUENCIES[unit] if unit in _FREQUENCIES else None,
    ), _rotation_said(metadata)


def _axis(cube: h5py.Dataset, axis: int) -> tuple[float, str] | None:
    """Return step and unit of an axis of a scan."""
    group = cube.parent
    first = 0 if "dim0" in group else 1
    dimension = group.get(f"dim{axis + first}")
    if not isinstance(dimension, h5py.Dataset) or dimension.dtype.kind not in "iuf":
        return None
    values = np.asarray(dimension[:2], np.float64) if dimension.ndim == 1 else np.empty(0)
    unit = dimension.attrs.get("units", "")
    unit = unit.decode("utf-8", "replace") if isinstance(unit, bytes) else str(unit)
    if len(values) != 2 or not 0 < abs(values[1] - values[0]) < np.inf:
        return None
    return float(abs(values[1] - values[0])), unit.strip("[] ").casefold()


def _calibration(file: h5py.File) -> h5py.Group | None:
    """Return the group in which py4DSTEM keeps its calibration, or nothing."""
    for root in file.values():
        if not isinstance(root, h5py.Group):
            continue
        found = root.get("metadatabundle/calibration")
        if isinstance(found, h5py.Group):
            return found
    return None


def _calibrated(metadata: h5py.Group | None, space: str) -> tuple[float, str] | None:
    """Return pixel size and unit of py4DSTEM's real (R) or reciprocal (Q) space."""
    size = _number(metadata, f"{space}_pixel_size")
    if metadata is None or not size or size < 0:
        return None
    unit = read_text(metadata, f"{space}_pixel_units").casefold()
    return (size, unit) if unit not in ("", "pixels", "_none") else None


def _number(metadata: h5py.Group | None, key: str) -> float | None:
    item = None if metadata is None else metadata.get(key)
    if not isinstance(item, h5py.Dataset) or item.size != 1 or item.dtype.kind not in "iuf":
        return None
    value = float(np.reshape(item[()], -1)[0])
    return value if np.isfinite(value) else None


def _rotation_said(metadata: h5py.Group | None) -> list[str]:
    angle = _number(metadata, "QR_rotation_degrees") or _number(metadata, "QR_rotation")
    if not angle:
        return []
    return [
        f"The file says that scan and detector are turned by {angle:g} against each other; this is "
        'not applied (say --map "rotation=...deg", and see ptychopinn orient).'
    ]


def _without_negatives(patterns: StoredPatterns) -> tuple[StoredPatterns, list[str]]:
    """Return patterns in which readout noise left nothing below 0."""
    if patterns.dtype.kind not in "if":
        return patterns, []
    return patterns.without_negatives(), ["Negative values, readout noise, are read as 0."]
