"""Plain NPY files of patterns: (rows, columns, y, x) of a raster scan, or (frames, y, x) of one.

Nothing else is in such a file: what tells the positions is said with ``--map`` (see `raster`).
"""

from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.file_map import parse_map
from ptychopinn.io.frame_source import RawFrames
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.memory import require_memory
from ptychopinn.io.npy_file import mapped_npy
from ptychopinn.io.pattern_array import require_pattern_header
from ptychopinn.io.raster import Raster, placed
from ptychopinn.io.refusal import refusal, require_file
from ptychopinn.io.scan_format import Description
from ptychopinn.io.stored_patterns import StoredPatterns
from ptychopinn.scan import Patterns, Scan

_DEFAULTS = DataConfig()
_START = b"\x93NUMPY"
_KEY = "array"


def is_npy_patterns(path: str | Path) -> bool:
    """Tell whether a file is an NPY with three or four axes; refuses a damaged NPY."""
    require_file(path)
    with Path(path).open("rb") as file:
        if file.read(len(_START)) != _START:
            return False
    return mapped_npy(path).ndim in (3, 4)


def describe_npy(path: str | Path) -> Description:
    """Return shape and type of the array without reading it."""
    mapped = mapped_npy(path)
    return [(_KEY, mapped.shape, str(mapped.dtype))]


def read_npy_patterns(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read patterns of a raster scan.

    Raises:
        DataError: The file is damaged, holds no patterns, the step of the raster or the size of
            a pixel is not said, or what `as_scan` refuses.
    """
    mapped = mapped_npy(path)
    flat = (int(np.prod(mapped.shape[:-2])), *mapped.shape[-2:])
    require_pattern_header(path, _KEY, flat, mapped.dtype)
    if 0 in flat:
        raise refusal(path, _KEY, f"shape {mapped.shape}", "patterns", "export them again")
    raster = Raster(mapped.shape[:2] if mapped.ndim == 4 else (1, flat[0]))
    where = placed(path, _KEY, raster, parse_map(data.map), (flat[0], flat[2]))
    return as_scan(
        Measurement(
            path=path,
            patterns=_patterns(path, mapped, flat),
            patterns_key=_KEY,
            frame=where.frame,
            pixel_size_m=where.pixel_size_m,
            wavelength_m=where.wavelength_m,
            decisions=where.decisions,
        ),
        data,
    )


def _patterns(path: str | Path, mapped: np.memmap, flat: tuple[int, int, int]) -> Patterns:
    """Return the patterns on disk; in memory where they do not follow each other there."""
    if mapped.flags.c_contiguous:
        source = RawFrames(
            str(path), flat[0], (flat[1], flat[2]), mapped.dtype, offset=int(mapped.offset)
        )
        return StoredPatterns(path, [source])
    require_memory(path, _KEY, mapped.nbytes, "save it in C order (numpy.ascontiguousarray)")
    return np.ascontiguousarray(mapped).reshape(flat)
