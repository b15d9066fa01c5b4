"""A scan written as an uncompressed PtychoPINN NPZ, in pieces: it need not fit in memory."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from ptychopinn.errors import DataError
from ptychopinn.io.atomic import replacing
from ptychopinn.io.pattern_array import CHUNK_BYTES
from ptychopinn.scan import Patterns, Scan, pattern_blocks

#: Types that patterns are stored in; the first that holds all values exactly is used.
_COUNT_TYPES = tuple(np.dtype(name) for name in ("uint16", "uint32", "float32", "float64"))
#: Amplitudes are never stored as integers, which every reader takes for counts.
_AMPLITUDE_TYPES = _COUNT_TYPES[2:]


def write_scan_npz(path: str | Path, scan: Scan) -> None:
    """Write a scan so that `read_scan_npz` gives it back exactly, with its patterns mapped.

    Keys: ``diff3d`` (K, N, N) in the smallest of uint16, uint32, float32, float64 that holds its
    values exactly; ``xcoords``, ``ycoords``, ``xcoords_start``, ``ycoords_start`` (K,) pixels;
    ``probeGuess`` (P, N, N); ``objectGuess`` (H, W), the truth, or ones where it is unknown;
    ``scan_index`` (K,), zeros where it is one; ``bad_pixels`` (N, N), True = bad; ``domain``;
    ``pixel_size_m`` and ``wavelength_m`` when known.

    Raises:
        DataError: The truth has another shape than the canvas.
        OutputError: The file cannot be written.
    """
    arrays = _small_arrays(scan)
    pattern_type = _smallest_type(scan)
    with (
        replacing(path) as beside,
        zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive,
    ):
        write_array(archive, "diff3d", scan.patterns, pattern_type)
        for key, array in arrays.items():
            write_array(archive, key, array, array.dtype)


def _small_arrays(scan: Scan) -> dict[str, np.ndarray]:
    """Return everything but the patterns."""
    y, x = np.asarray(scan.positions_px, dtype=np.float64).T
    arrays = {
        "xcoords": x,
        "ycoords": y,
        "xcoords_start": x,
        "ycoords_start": y,
        "probeGuess": scan.probe,
        "objectGuess": object_guess(scan),
        "scan_index": _scan_index(scan),
        "bad_pixels": ~scan.mask,
        "domain": np.array(scan.domain),
    }
    for key, length in (("pixel_size_m", scan.pixel_size_m), ("wavelength_m", scan.wavelength_m)):
        if length is not None:
            arrays[key] = np.array(length, dtype=np.float64)
    return arrays


def _scan_index(scan: Scan) -> np.ndarray:
    if scan.scan_index is None:
        return np.zeros(scan.n_patterns, dtype=np.int64)
    return scan.scan_index.astype(np.int64)


def object_guess(scan: Scan) -> np.ndarray:
    """Return the truth, or ones that take no memory and tell the size of the canvas."""
    if scan.truth is None:
        return np.broadcast_to(np.complex64(1), scan.canvas_shape)
    if scan.truth.shape != tuple(scan.canvas_shape):
        raise DataError(
            f"{scan.name}: truth: found shape {scan.truth.shape}, wanted that of the canvas, "
            f"{tuple(scan.canvas_shape)}; crop or pad it."
        )
    return scan.truth


def _smallest_type(scan: Scan) -> np.dtype:
    """Return the first storage type that holds all patterns exactly."""
    left = list(_COUNT_TYPES if scan.domain == "counts" else _AMPLITUDE_TYPES)
    for block in _blocks(scan.patterns):
        left = [dtype for dtype in left if _holds(dtype, block)]
    return left[0] if left else scan.patterns.dtype


def _holds(dtype: np.dtype, block: np.ndarray) -> bool:
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.array_equal(block.astype(dtype), block, equal_nan=block.dtype.kind == "f"))


def _blocks(array: Patterns | np.ndarray) -> Iterator[np.ndarray]:
    """Cut an array into pieces of bounded size along its first axis."""
    if array.ndim == 0:
        yield np.asarray(array)
        return
    for _, block in pattern_blocks(array, CHUNK_BYTES):
        yield block


def write_array(
    archive: zipfile.ZipFile,
    key: str,
    array: Patterns | np.ndarray,
    dtype: np.dtype,
    change: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> None:
    """Add one array to the archive as an NPY file, piece by piece, each changed on its way."""
    with archive.open(zipfile.ZipInfo(f"{key}.npy"), "w", force_zip64=True) as file:
        _write_header(file, array.shape, dtype)
        for block in _blocks(array):
            file.write(change(block).astype(dtype, copy=False).tobytes())


def _write_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    # The text after the dictionary is padded so that the elements begin at a multiple of 64.
    np.lib.format.write_array_header_1_0(file, header)
