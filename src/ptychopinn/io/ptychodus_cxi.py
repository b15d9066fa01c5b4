"""CXI files of Ptychodus 1.7: a product, with its patterns in the same file or in one beside it.

The product has the probe (coherent, incoherent, y, x) in ``image_1``, the object (layer, y, x) in
``image_2``, positions of the probe in the translations, and in the group ``entry_1/ptychodus`` what
CXI has no place for: pixel and centre of the object, and the numbers of the patterns. It is read by
the rules of every product (`metric_product`), under the names that it has there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.companion import beside, other_half, renamed
from ptychopinn.io.cxi import PATTERN_KEYS, has_translation, is_cxi, read_mask, read_translation
from ptychopinn.io.geometry import ENERGIES_EV
from ptychopinn.io.hdf5 import opened_hdf5
from ptychopinn.io.hdf5_fields import first_dataset
from ptychopinn.io.measurement import as_scan
from ptychopinn.io.named_arrays import Hdf5Arrays
from ptychopinn.io.ptychodus_scan import measured
from ptychopinn.io.refusal import container
from ptychopinn.scan import Patterns, Scan

_OWN = "entry_1/ptychodus"
_OBJECT = "entry_1/image_2/data"
_PLACES = {
    "probe": "entry_1/image_1/data",
    "object": _OBJECT,
    **{
        name: f"{_OWN}/{name}"
        for name in (
            *("probe_position_indexes", "opr_weights"),
            *(f"object_pixel_{side}_m" for side in ("height", "width")),
            *(f"object_center_{axis}_m" for axis in "xy"),
        )
    },
}
_ENERGY = "entry_1/instrument_1/source_1/energy"
_COLUMNS = {"probe_position_x_m": 0, "probe_position_y_m": 1}
_BAD = "bad_pixels"


def is_ptychodus_cxi(path: str | Path) -> bool:
    """Tell whether a file is a CXI product of Ptychodus, or holds the patterns of one beside it."""
    return _is_product(path) or (_is_bare_patterns(path) and bool(_products_beside(path)))


def ptychodus_cxi_files(path: Path) -> tuple[Path, ...]:
    """Return all files that may be a scan together with this one."""
    others = _patterns_beside(path) if _is_product(path) else _products_beside(path)
    return tuple(sorted({path, *([] if is_cxi(path) and _is_product(path) else others)}))


def read_ptychodus_cxi(path: str | Path, data: DataConfig) -> Scan:
    """Read a scan from a CXI product of Ptychodus, or from the patterns that belong to one.

    Raises:
        DataError: The other half is missing, or there are several; arrays are missing, damaged or
            do not belong together; or what `as_scan` refuses.
    """
    patterns_path, product_path = _both(path)
    with opened_hdf5(product_path) as product, opened_hdf5(patterns_path) as file:
        key = first_dataset(file, PATTERN_KEYS) or PATTERN_KEYS[0]
        return as_scan(
            measured(
                patterns_path,
                *(_CxiArrays(patterns_path, file), key),
                _CxiArrays(product_path, product),
                data,
            ),
            data,
        )


class _CxiArrays(Hdf5Arrays):
    """Datasets of a CXI file under the names that a product gives them."""

    def __init__(self, path: str | Path, file: h5py.File) -> None:
        super().__init__(path, file)
        self._cxi = file

    def __contains__(self, key: str) -> bool:
        if key in _COLUMNS:
            return has_translation(self._cxi)
        if key == _BAD:
            return read_mask(self._cxi, self.path) is not None
        return super().__contains__(_PLACES.get(key, key))

    def header(self, key: str) -> tuple[tuple[int, ...], np.dtype]:
        """Return shape and type of an array; refuses a missing one."""
        return super().header(_PLACES.get(key, key))

    def read(self, key: str, *, kinds: str, ranks: tuple[int, ...]) -> np.ndarray:
        """Return an array in memory; refuses other letters of type kinds and numbers of axes."""
        if key in _COLUMNS:
            return read_translation(self._cxi, self.path)[:, _COLUMNS[key]]
        mask = read_mask(self._cxi, self.path) if key == _BAD else None
        if mask is not None:
            return mask
        return super().read(_PLACES.get(key, key), kinds=kinds, ranks=ranks)

    def patterns(self, key: str) -> Patterns:
        """Return patterns (K, N, N) that stay on disk."""
        return super().patterns(_PLACES.get(key, key))

    def scalar(self, key: str) -> Any:
        """Return a number or text that stands under a name, or nothing; energies in eV."""
        if key != "photon_energy_eV":
            return super().scalar(_PLACES[key]) if key in _PLACES else None
        joules = super().scalar(_ENERGY)
        return None if joules is None else joules * ENERGIES_EV["j"]


def _is_product(path: str | Path) -> bool:
    def holds(file: h5py.File) -> bool:
        return first_dataset(file, [_OBJECT]) is not None and _OWN in file and has_translation(file)

    return _test(path, holds)


def _is_bare_patterns(path: str | Path) -> bool:
    return is_cxi(path) and _test(path, lambda file: not has_translation(file))


def _test(path: str | Path, test: Callable[[h5py.File], bool]) -> bool:
    if container(path) != "hdf5":
        return False
    with opened_hdf5(path) as file:
        return test(file)


def _both(path: str | Path) -> tuple[Path, Path]:
    """Return patterns and product of the scan that one of them belongs to."""
    place = Path(path)
    if not _is_product(place):
        return place, other_half(
            place,
            _products_beside(place),
            _is_product,
            missing_name=renamed(place, "diffraction", "product").name,
            wanted="positions, probe and object",
        )
    if is_cxi(place):
        return place, place
    other = other_half(
        place,
        _patterns_beside(place),
        _is_bare_patterns,
        missing_name=renamed(place, "product", "diffraction").name,
        wanted="patterns",
    )
    return other, place


def _products_beside(path: str | Path) -> list[Path]:
    return _beside(path, renamed(path, "diffraction", "product"), _is_product)


def _patterns_beside(path: str | Path) -> list[Path]:
    return _beside(path, renamed(path, "product", "diffraction"), _is_bare_patterns)


def _beside(path: str | Path, by_name: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """Return the other half by its name if it is there, else every CXI file that is one."""
    if by_name != Path(path) and by_name.is_file() and wanted(by_name):
        return [by_name]
    return [place for place in beside(path) if place.suffix.lower() == ".cxi" and wanted(place)]
