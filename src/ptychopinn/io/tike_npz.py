"""Scans as tike takes them (NPZ): patterns with the zero frequency in the corner.

``data`` (K, N, N) intensities, fft-shifted; ``scan`` (K, 2) (row, column) of the first pixel of the
probe window in pixels of the object; ``probe`` (..., modes, N, N); where there ``psi`` (H, W) or
(L, H, W), the object, and ``measured_pixels`` (N, N), True = good. Axes of length 1 may stand
before all of them. tike scales its probe to the patterns, so its power means nothing.
"""

import zipfile
from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.atomic import replacing
from ptychopinn.io.count_blocks import as_counts
from ptychopinn.io.file_map import parse_map
from ptychopinn.io.frame_view import FrameView
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.metric_frame import exact_frame
from ptychopinn.io.metric_product import read_layer, usable_truth
from ptychopinn.io.named_arrays import NamedArrays, opened_arrays, require_kind
from ptychopinn.io.npz_writer import object_guess, write_array
from ptychopinn.io.pattern_array import require_pattern_header
from ptychopinn.io.ptychodus_scan import require_square
from ptychopinn.io.refusal import container, refusal
from ptychopinn.io.said_lengths import pixels_of_positions, said_pixel_m, said_wavelength
from ptychopinn.io.stored_patterns import turned
from ptychopinn.scan import Scan

_DEFAULTS = DataConfig()
_KEYS = ("data", "scan", "probe")
_OBJECT, _MASK = "psi", "measured_pixels"


def is_tike(path: str | Path) -> bool:
    """Tell whether a file is an NPZ with patterns, positions and probe of tike."""
    if container(path) != "npz":
        return False
    with opened_arrays(path) as arrays:
        return all(key in arrays for key in _KEYS)


def read_tike(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a scan of tike.

    Raises:
        DataError: An array is missing, damaged or does not belong to the others; or what
            `as_scan` refuses.
    """
    with opened_arrays(path) as arrays:
        return as_scan(_measured(path, arrays, data), data)


def _measured(path: str | Path, arrays: NamedArrays, data: DataConfig) -> Measurement:
    shape = _require_patterns(arrays)
    n, said = shape[2], parse_map(data.map)
    wavelength, _ = said_wavelength(said, lambda: (None, []))
    side_m = said_pixel_m(said, wavelength, n)
    sides_m = None if side_m is None else (side_m, side_m)
    corners = pixels_of_positions(
        path, "scan", _read_corners(arrays, shape[0]), said, "px", sides_m
    )
    image, image_said = read_layer(arrays, _OBJECT) if _OBJECT in arrays else (None, [])
    canvas = None if image is None else (image.shape[0], image.shape[1])
    positions = corners.positions_px + n // 2
    frame = exact_frame(path, "scan", positions, n, canvas, corners.stored)
    usable = image is not None and frame.on_object
    truth, truth_said = usable_truth(_OBJECT, image) if usable and image is not None else (None, [])
    return Measurement(
        path=path,
        patterns=turned(arrays.patterns("data"), FrameView((n, n), corner=True)),
        patterns_key="data",
        frame=frame,
        probe=None if data.probe is not None else _read_probe(arrays, n),
        marked=_read_marked(arrays, n),
        domain="counts",
        truth=truth,
        pixel_size_m=side_m,
        wavelength_m=wavelength,
        decisions=(
            "The zero frequency was moved from the corner, where tike has it, to the middle.",
            f"Positions, first pixels of the windows, were moved by {n // 2} px to centre pixels.",
            *(*corners.decisions, *image_said, *truth_said),
        ),
    )


def _require_patterns(arrays: NamedArrays) -> tuple[int, int, int]:
    """Return (K, N, N) of patterns that axes of length 1 may stand before."""
    shape, dtype = arrays.header("data")
    plain = shape[-3:] if set(shape[:-3]) <= {1} else shape
    require_pattern_header(arrays.path, "data", plain, dtype)
    require_square(arrays.path, "data", plain)
    return plain[0], plain[1], plain[2]


def _read_corners(arrays: NamedArrays, count: int) -> np.ndarray:
    """Return (K, 2) float64 (y, x) of the first pixels of the windows."""
    shape, dtype = arrays.header("scan")
    plain = shape[-2:] if set(shape[:-2]) <= {1} else shape
    if plain != (count, 2) or dtype.kind not in "iuf":
        raise refusal(
            arrays.path,
            "scan",
            f"shape {shape} of type {dtype}",
            f"({count}, 2), row and column for each pattern",
            "export patterns and positions of one scan",
        )
    stored = arrays.read("scan", kinds="iuf", ranks=(len(shape),))
    return stored.reshape(count, 2).astype(np.float64)


def _read_probe(arrays: NamedArrays, n: int) -> np.ndarray:
    """Return (P, N, N); of probes that vary from pattern to pattern the first."""
    shape, dtype = arrays.header("probe")
    require_kind(arrays.path, "probe", shape, dtype, kinds="cf", ranks=tuple(range(2, 9)))
    if shape[-2:] != (n, n) or 0 in shape:
        raise refusal(
            arrays.path, "probe", f"shape {shape}", f"(..., modes, {n}, {n})", "export it again"
        )
    probe = arrays.read("probe", kinds="cf", ranks=(len(shape),))
    return probe.reshape(-1, *shape[-3:])[0] if probe.ndim > 2 else probe


def _read_marked(arrays: NamedArrays, n: int) -> np.ndarray | None:
    """Return (N, N) bool, True = bad, with the zero frequency in the middle."""
    if _MASK not in arrays:
        return None
    good = arrays.read(_MASK, kinds="biuf", ranks=(2,))
    if good.shape != (n, n) or not good.any():
        found = "no good pixel" if good.shape == (n, n) else f"shape {good.shape}"
        raise refusal(arrays.path, _MASK, found, f"({n}, {n}), True = good", "invert or remove it")
    return np.fft.fftshift(good == 0)


def write_tike(path: str | Path, scan: Scan) -> None:
    """Write a scan as tike takes it, with ``psi`` (the truth, or ones) and ``measured_pixels``.

    Arrays have the shapes of `tike.ptycho.reconstruct`: ``data`` (K, N, N) float32, ``scan``
    (K, 2), ``probe`` (1, 1, P, N, N). Patterns are written in pieces; amplitudes are squared.
    Bad pixels are 0.

    Raises:
        DataError: The truth has another shape than the canvas.
        OutputError: The file cannot be written.
    """
    arrays = {
        "scan": scan.positions_px - scan.n // 2,
        "probe": scan.probe[None, None],
        _OBJECT: object_guess(scan),
        _MASK: np.fft.ifftshift(scan.mask),
    }
    with replacing(path) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
        write_array(
            archive,
            "data",
            scan.patterns,
            np.dtype(np.float32),
            lambda block: np.fft.ifftshift(as_counts(block, scan), axes=(1, 2)),
        )
        for key, array in arrays.items():
            write_array(archive, key, array, array.dtype)
