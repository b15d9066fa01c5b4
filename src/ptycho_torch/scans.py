"""Files and arrays of Ptychodus as scans, in the frame of the object that they index."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import read_scan_npz
from ptychopinn.io.archive import Archive
from ptychopinn.io.frame import Frame, require_positions
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.metric_frame import from_window_middle
from ptychopinn.io.ptychopinn_npz import is_scan_npz
from ptychopinn.scan import Scan

_LOG = logging.getLogger("ptycho_torch")

#: Positions computed from metres carry rounding errors; this many decimals are meant.
_MEANT_DECIMALS = 6


def read_folder(folder: str | Path) -> list[Scan]:
    """Read every NPZ scan of a folder; nothing is written into it.

    Raises:
        DataError: The folder is missing or holds no scan, or what the reader refuses.
    """
    place = Path(folder)
    files = [path for path in sorted(place.glob("*.npz")) if is_scan_npz(path)]
    if not files:
        raise DataError(
            f"{folder}: found no training data, wanted one NPZ file or more with the patterns "
            "(diff3d); write it with 'Export Training Data...' and name its folder."
        )
    return [_in_frame_of_object(read_scan_npz(path), path) for path in files]


def _in_frame_of_object(scan: Scan, path: Path) -> Scan:
    """Read positions as Ptychodus means them, middles of windows, where a truth depends on it.

    Its files are told by ``bad_pixels`` beside the patterns and no ``domain``.
    """
    archive = Archive(path)
    if scan.truth is None or "bad_pixels" not in archive or "domain" in archive:
        return scan
    columns = [archive.read(key).astype(np.float64) for key in ("ycoords", "xcoords")]
    centres = from_window_middle(np.stack(columns, axis=1), scan.n)
    return replace(scan, positions_px=np.round(centres, _MEANT_DECIMALS))


def require_size(scan: Scan, n: int) -> None:
    """Refuse a scan of another pattern size than the settings say.

    Raises:
        DataError: N differs; both are told.
    """
    if scan.n != n:
        raise DataError(
            f"{scan.name}: found patterns of {scan.n} x {scan.n} pixels, wanted N = {n}; set the "
            f"model size to {scan.n}, or crop the patterns to {n}."
        )


@dataclass(frozen=True)
class PlacedScan:
    """A scan and the part of its canvas that is the object of the application."""

    scan: Scan
    """On a canvas that holds every window."""
    start: tuple[int, int]
    """First pixel (y, x) of the object on the canvas."""
    shape: tuple[int, int]
    """(H, W) of the object; its centre is that of the scan."""

    def cut(self, canvas: np.ndarray) -> np.ndarray:
        """Return the (H, W) object out of a canvas."""
        (y, x), (height, width) = self.start, self.shape
        return canvas[y : y + height, x : x + width]


def scan_of_arrays(
    diff_patterns: np.ndarray, probe: np.ndarray, positions: np.ndarray, domain: str
) -> PlacedScan:
    """Take arrays as Ptychodus hands them over.

    The object has ``round(2 * mid + 1)`` pixels, ``mid`` being the middle of the scan, so that its
    centre is that of the scan and the positions index it: the frame of every object that Ptychodus
    sizes itself. The centre of another object cannot be known from these arrays.

    Args:
        diff_patterns: (K, N, N) photon counts of any type.
        probe: (P, N, N) complex.
        positions: (K, 2) (y, x) of the middle of the window, in pixels of the object.
        domain: What the model was trained on, ``counts`` or ``amplitude``.

    Raises:
        DataError: The arrays do not belong together or cannot be used.
    """
    patterns, middles = np.asarray(diff_patterns), np.asarray(positions, dtype=np.float64)
    n = _side(patterns)
    if middles.shape != (len(patterns), 2):
        raise DataError(
            f"positions: found shape {middles.shape} and {len(patterns)} patterns, wanted "
            f"({len(patterns)}, 2), (y, x) in pixels; remove patterns without a position."
        )
    require_positions("Ptychodus", "positions", middles, n)
    centres = np.round(from_window_middle(middles, n), _MEANT_DECIMALS)
    height, width = np.round(middles.min(axis=0) + middles.max(axis=0) + 1).astype(int)
    first = np.floor(centres.min(axis=0)).astype(int) - n // 2
    end = np.floor(centres.max(axis=0)).astype(int) - n // 2 + n
    start = np.maximum(0, -first)
    canvas = start + np.maximum(end, (height, width))
    found = Measurement(
        path="Ptychodus",
        patterns=patterns,
        patterns_key="diff_patterns",
        frame=Frame(centres + start, (int(canvas[0]), int(canvas[1])), False, []),
        probe=np.asarray(probe),
        domain=domain,
    )
    shape = (int(height), int(width))
    return PlacedScan(as_scan(found, DataConfig()), (int(start[0]), int(start[1])), shape)


def _side(patterns: np.ndarray) -> int:
    """Return N of (K, N, N) patterns."""
    if patterns.ndim != 3 or patterns.shape[1] != patterns.shape[2]:
        raise DataError(
            f"diff_patterns: found shape {patterns.shape}, wanted square patterns (K, N, N); crop "
            "the detector to a square in the application."
        )
    return int(patterns.shape[1])
