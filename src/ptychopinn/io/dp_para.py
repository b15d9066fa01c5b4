"""Pairs ``NAME_dp.hdf5`` and ``NAME_para.hdf5``, as pty-chi, PtychoViT and fold_slice have them.

The first holds ``dp`` (K, N, N), intensities with the zero frequency in the middle. The second
holds either a product (`metric_product`: object, probe, positions in metres about the centre of
the object), or, as fold_slice writes it, positions ``ppX``, ``ppY`` and where there ``dx`` and
``lambda``, all in metres; that kind has no probe.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.companion import other_half, renamed
from ptychopinn.io.file_map import FileMap, parse_map
from ptychopinn.io.frame import frame_of_scan, require_positions
from ptychopinn.io.geometry import require_plausible
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.metric_frame import require_pixel
from ptychopinn.io.metric_product import has_positions, require_as_many
from ptychopinn.io.metric_product_writer import write_pair, write_plain_patterns
from ptychopinn.io.named_arrays import NamedArrays, opened_arrays, positive
from ptychopinn.io.pattern_array import require_pattern_header
from ptychopinn.io.pattern_pairing import pair_by_index
from ptychopinn.io.ptychodus_scan import measured, require_square
from ptychopinn.io.refusal import container
from ptychopinn.io.said_lengths import (
    Told,
    pixels_of_positions,
    said_pixel_m,
    said_wavelength,
)
from ptychopinn.scan import Scan

_DEFAULTS = DataConfig()
_FOLD_SLICE = ("ppX", "ppY")
_POSITIONS = "ppY, ppX"


def is_dp_para(path: str | Path) -> bool:
    """Tell whether a file is either half of such a pair."""
    return _is_dp(path) or _is_para(path)


def dp_para_files(path: Path) -> tuple[Path, ...]:
    """Return both files of a pair, those of them that are there."""
    other = _other_name(path)
    return tuple(sorted({path, other})) if other.exists() else (path,)


def read_dp_para(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a scan from either file of a pair.

    Raises:
        DataError: The other half is missing; arrays are missing, damaged or do not belong
            together; or what `as_scan` refuses.
    """
    dp_path, para_path = _both(path)
    with opened_arrays(para_path) as para, opened_arrays(dp_path) as dp:
        if has_positions(para):
            return as_scan(measured(dp_path, dp, "dp", para, data), data)
        return as_scan(_of_fold_slice(dp_path, dp, para, parse_map(data.map)), data)


def _of_fold_slice(path: Path, dp: NamedArrays, para: NamedArrays, said: FileMap) -> Measurement:
    shape, dtype = dp.header("dp")
    require_pattern_header(path, "dp", shape, dtype)
    require_square(path, "dp", shape)
    wavelength, wavelength_said = said_wavelength(said, lambda: _wavelength(para))
    pixel = _pixel(para, said_pixel_m(said, wavelength, shape[2]))
    placed = pixels_of_positions(
        para.path, _POSITIONS, _read_positions(para), said, "m", (pixel, pixel)
    )
    positions = placed.positions_px
    pair_by_index(para.path, np.arange(shape[0]), None, positions)
    require_positions(para.path, _POSITIONS, positions, shape[2], placed.stored)
    return Measurement(
        path=path,
        patterns=dp.patterns("dp"),
        patterns_key="dp",
        frame=frame_of_scan(positions, shape[2]),
        domain="counts",
        pixel_size_m=pixel,
        wavelength_m=wavelength,
        decisions=(
            f"ppY and ppX of {Path(para.path).name}, metres, became pixels of {pixel:g} m; +ppY is "
            "read as towards higher rows and +ppX towards higher columns.",
            *(*placed.decisions, *wavelength_said),
        ),
    )


def _wavelength(para: NamedArrays) -> Told:
    length = positive(para, "lambda")
    if length is None:
        return None, []
    return require_plausible(para.path, "lambda", "wavelength", length), []


def _pixel(para: NamedArrays, said_m: float | None) -> float:
    """Return the object pixel that ``--map`` gives, or else that of the file."""
    if said_m is not None:
        return said_m
    pixel = positive(para, "dx")
    require_pixel(para.path, "dx", (pixel, pixel))
    return require_plausible(para.path, "dx", "object pixel", float(pixel or 0))


def _read_positions(para: NamedArrays) -> np.ndarray:
    """Return (K, 2) float64 (y, x) as stored."""
    y, x = (para.read(key, kinds="f", ranks=(1, 2)).reshape(-1) for key in ("ppY", "ppX"))
    require_as_many(para.path, _POSITIONS, len(y), len(x))
    return np.stack([y, x], axis=1).astype(np.float64)


def write_dp_para(path: str | Path, scan: Scan) -> None:
    """Write a scan as a pair; ``path`` may be either name, or the common part of both.

    The object is the truth, or ones; amplitudes are squared, bad pixels 0.

    Raises:
        DataError: The truth has another shape than the canvas.
        OutputError: A file cannot be written; then neither is.
    """
    place = Path(path)
    if not place.stem.endswith(("_dp", "_para")):
        place = place.with_name(f"{place.stem}_dp.hdf5")
    dp_path = renamed(place, "_para", "_dp")
    write_pair(dp_path, renamed(dp_path, "_dp", "_para"), scan, write_plain_patterns)


def _both(path: str | Path) -> tuple[Path, Path]:
    is_dp = _is_dp(path)
    other = other_half(
        path,
        [_other_name(path)],
        _is_para if is_dp else _is_dp,
        missing_name=_other_name(path).name,
        wanted="positions" if is_dp else "patterns",
    )
    return (Path(path), other) if is_dp else (other, Path(path))


def _other_name(path: str | Path) -> Path:
    para = renamed(path, "_dp", "_para")
    return para if para != Path(path) else renamed(path, "_para", "_dp")


def _is_dp(path: str | Path) -> bool:
    return _holds(path, lambda arrays: "dp" in arrays)


def _is_para(path: str | Path) -> bool:
    """Tell whether positions are in it; a product counts when its name says so."""
    if "_para" not in Path(path).name:
        return _holds(path, lambda arrays: all(key in arrays for key in _FOLD_SLICE))
    return _holds(
        path, lambda arrays: has_positions(arrays) or all(key in arrays for key in _FOLD_SLICE)
    )


def _holds(path: str | Path, test: Callable[[NamedArrays], bool]) -> bool:
    if container(path) != "hdf5":
        return False
    with opened_arrays(path) as arrays:
        return test(arrays)
