"""Scans as Ptychodus 1.7.0 keeps them: a file of patterns beside a product (HDF5 or NPZ).

``patterns`` (K, N, N) counts, zero frequency in the middle, ``indexes`` (K,), ``bad_pixels``
(N, N) with True = bad, in one file; positions, probe and object in the other (`metric_product`).
Versions since 2024 are read; there indexes and bad pixels may be missing.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.companion import beside, other_half, renamed
from ptychopinn.io.file_map import parse_map
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.metric_product import has_positions, read_metric_product
from ptychopinn.io.metric_product_writer import write_numbered_patterns, write_pair
from ptychopinn.io.named_arrays import NamedArrays, opened_arrays
from ptychopinn.io.pattern_array import require_pattern_header
from ptychopinn.io.pattern_pairing import chosen_patterns, pair_by_index
from ptychopinn.io.refusal import container, refusal
from ptychopinn.scan import Patterns, Scan

_DEFAULTS = DataConfig()
_PATTERNS, _INDEXES = "patterns", "indexes"


def is_ptychodus_patterns(path: str | Path) -> bool:
    """Tell whether a file holds patterns of Ptychodus, without positions."""
    return _has(path, lambda arrays: _PATTERNS in arrays and _is_plain(arrays))


def is_ptychodus_product(path: str | Path) -> bool:
    """Tell whether a file is a product of Ptychodus."""
    return _has(path, lambda arrays: has_positions(arrays) and "probe" in arrays)


def is_ptychodus(path: str | Path) -> bool:
    """Tell whether a file is either half of a scan of Ptychodus."""
    return is_ptychodus_patterns(path) or is_ptychodus_product(path)


def ptychodus_files(path: Path) -> tuple[Path, ...]:
    """Return all files that may be a scan together with this one."""
    if is_ptychodus_patterns(path):
        others = _candidates(path, is_patterns=True)
    else:
        patterns = _candidates(path, is_patterns=False)
        others = patterns + [other for place in patterns for other in _candidates(place, True)]
    return tuple(sorted({path, *others}))


def read_ptychodus(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a scan of Ptychodus from either of its two files; the other lies beside it.

    The other half is the file whose name has ``product`` in the place of ``diffraction`` or
    ``patterns``, or the only one in the folder. Patterns and positions are paired by their
    numbers; positions of the same number are averaged, and patterns without a position left out.

    Args:
        path: The patterns or the product.
        data: Overrides for what the files leave open.

    Raises:
        DataError: The other half is missing, or there are several; arrays are missing, damaged or
            do not belong together; or what `as_scan` refuses.
    """
    patterns_path, product_path = _both(path)
    with opened_arrays(product_path) as product, opened_arrays(patterns_path) as arrays:
        return as_scan(measured(patterns_path, arrays, _PATTERNS, product, data), data)


def write_ptychodus(path: str | Path, scan: Scan) -> None:
    """Write a scan as the two files that Ptychodus 1.7.0 opens.

    They are called as ``path`` with ``diffraction`` and ``product`` in its name; a name with
    neither gets ``_diffraction`` and ``_product`` before its suffix. Names that end with ``.npz``
    make NPZ files, all others HDF5. The object is the truth, or ones. A scan knows no detector: its
    pixel is written as 75 um, and the distance follows from pixel size and wavelength (0 when one
    is not known). Amplitudes are squared, bad pixels 0.

    Raises:
        DataError: The truth has another shape than the canvas.
        OutputError: A file cannot be written; then neither is.
    """
    patterns_path, product_path = _names(Path(path))
    write_pair(patterns_path, product_path, scan, write_numbered_patterns)


def _names(path: Path) -> tuple[Path, Path]:
    """Return the names of patterns and product."""
    for path_of_patterns in (path, renamed(path, "product", "diffraction")):
        if "diffraction" in path_of_patterns.name:
            return path_of_patterns, renamed(path_of_patterns, "diffraction", "product")
    suffix = path.suffix or ".h5"
    patterns = path.with_name(f"{path.stem}_diffraction{suffix}")
    return patterns, path.with_name(f"{path.stem}_product{suffix}")


def measured(
    path: str | Path,
    arrays: NamedArrays,
    key: str,
    product_arrays: NamedArrays,
    data: DataConfig,
) -> Measurement:
    """Return the measurement of patterns in one file and the product in another."""
    shape, dtype = arrays.header(key)
    require_pattern_header(path, key, shape, dtype)
    require_square(path, key, shape)
    product = read_metric_product(product_arrays, parse_map(data.map), shape[2])
    pairing = pair_by_index(
        product.path, read_indexes(arrays, shape[0]), product.indexes, product.middles_px
    )
    frame = product.frame(pairing.positions, shape[2])
    truth, truth_said = product.truth(frame)
    return Measurement(
        path=path,
        patterns=_patterns(arrays, key, pairing.rows),
        patterns_key=key,
        frame=frame,
        probe=None if data.probe is not None else product.probe,
        marked=read_marked(arrays, shape[2]),
        domain="counts",
        truth=truth,
        pixel_size_m=product.pixel_size_m,
        wavelength_m=product.wavelength_m,
        decisions=(
            f"Positions and probe come from {Path(product.path).name}.",
            *(*product.decisions, *pairing.decisions, *truth_said),
        ),
    )


def require_square(path: str | Path, key: str, shape: tuple[int, ...]) -> None:
    """Refuse patterns that are not square, and none at all."""
    if 0 in shape or shape[1] != shape[2]:
        raise refusal(
            path,
            key,
            f"shape {shape}",
            "(K, N, N), square patterns and at least one",
            "crop or pad the patterns to squares about their middle",
        )


def read_indexes(arrays: NamedArrays, count: int) -> np.ndarray:
    """Return (K,) numbers of the patterns; their order where the file has none."""
    if _INDEXES not in arrays:
        return np.arange(count)
    indexes = arrays.read(_INDEXES, kinds="iuf", ranks=(1,))
    if len(indexes) != count:
        raise refusal(
            arrays.path,
            _INDEXES,
            f"{len(indexes)} numbers",
            f"{count}, one a pattern",
            "export the patterns again",
        )
    return indexes.astype(np.int64)


def read_marked(arrays: NamedArrays, n: int, key: str = "bad_pixels") -> np.ndarray | None:
    """Return (N, N) bool, True = bad, where the file says it; refuses another shape."""
    if key not in arrays:
        return None
    stored = arrays.read(key, kinds="biuf", ranks=(2,))
    if stored.shape != (n, n) or stored.all():
        found = "every pixel bad" if stored.shape == (n, n) else f"shape {stored.shape}"
        raise refusal(
            arrays.path, key, found, f"({n}, {n}) with some good pixels", "export it again"
        )
    return stored != 0


def _patterns(arrays: NamedArrays, key: str, rows: np.ndarray) -> Patterns:
    return chosen_patterns(arrays.patterns(key), rows)


def _both(path: str | Path) -> tuple[Path, Path]:
    """Return patterns and product of the scan that one of them belongs to."""
    if is_ptychodus_patterns(path):
        return Path(path), other_half(
            path,
            _candidates(path, is_patterns=True),
            is_ptychodus_product,
            missing_name=_other_name(path, is_patterns=True).name,
            wanted="positions and probe",
        )
    other = other_half(
        path,
        _candidates(path, is_patterns=False),
        is_ptychodus_patterns,
        missing_name=_other_name(path, is_patterns=False).name,
        wanted="patterns",
    )
    return other, Path(path)


def _candidates(path: str | Path, is_patterns: bool) -> list[Path]:
    """Return the other half by name if it is there, else every file of the folder that is one."""
    wanted = is_ptychodus_product if is_patterns else is_ptychodus_patterns
    by_name = _other_name(path, is_patterns=is_patterns)
    kinds = [by_name.with_suffix(suffix) for suffix in (by_name.suffix, ".h5", ".hdf5", ".npz")]
    named = [place for place in kinds if place != Path(path) and place.exists() and wanted(place)]
    return named[:1] or [place for place in beside(path) if _readable(place) and wanted(place)]


def _readable(place: Path) -> bool:
    return place.suffix.lower() in (".h5", ".hdf5", ".npz", ".hdf", ".nxs")


def _other_name(path: str | Path, *, is_patterns: bool) -> Path:
    if not is_patterns:
        return renamed(path, "product", "diffraction")
    named = renamed(path, "diffraction", "product")
    return named if named != Path(path) else renamed(path, "patterns", "product")


def _is_plain(arrays: NamedArrays) -> bool:
    """Tell that no other format with the same key is meant."""
    other = ("probe_position_x_px", "xcoords", "scan", "object", "probe")
    return not any(key in arrays for key in other)


def _has(path: str | Path, test: Callable[[NamedArrays], bool]) -> bool:
    if container(path) is None:
        return False
    with opened_arrays(path) as arrays:
        return test(arrays)
