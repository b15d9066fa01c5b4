"""Raw files of EMPAD detectors: frames of 128 x 128 float32, with 1024 bytes after each.

The XML file beside it, which names the raw file, tells the scan, the field of view and the energy.
Without it the scan is in the name (``scan_x64_y48.raw``) or in the bytes after the first and last
frames, and the rest is said with ``--map`` (see `raster`). Files without the 1024 bytes, as
processing leaves them, are told by their size. Values are electrons up to a gain; readout noise
makes some of them negative.

Facts: EMPAD software 1.2, and the readers of py4DSTEM, LiberTEM and ptyrad.
"""

import re
from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.empad_xml import looks_like_xml, raster_of_xml, raw_name, xml_beside
from ptychopinn.io.file_map import FileMap, parse_map
from ptychopinn.io.frame_source import RawFrames
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.raster import Raster, overridden, placed
from ptychopinn.io.refusal import bytes_in_words, container, refusal, require_file
from ptychopinn.io.scan_format import Description
from ptychopinn.io.stored_patterns import StoredPatterns
from ptychopinn.scan import Scan

_DEFAULTS = DataConfig()
_SIDE = 128
_PIXEL_BYTES = _SIDE * _SIDE * 4
_GAP_BYTES = 1024
#: Place of (row, column) among the 256 numbers after a frame.
_PLACE = slice(140, 142)
_IN_NAME = re.compile(r"x(\d+)_y(\d+)")


def is_empad(path: str | Path) -> bool:
    """Tell whether a file is the raw file of an EMPAD, or the XML that names one."""
    if container(path) is not None:
        return False
    if looks_like_xml(path):
        return raw_name(path) is not None
    size = Path(path).stat().st_size
    if size % _PIXEL_BYTES and size % (_PIXEL_BYTES + _GAP_BYTES):
        return False
    return xml_beside(path) is not None or _scan_of_raw(path) is not None


def empad_files(path: Path) -> tuple[Path, ...]:
    """Return raw file and XML of a scan, those of them that are there."""
    if looks_like_xml(path):
        raw = path.with_name(raw_name(path) or path.name)
        return tuple(sorted({path, raw})) if raw.exists() else (path,)
    xml = xml_beside(path)
    return (path,) if xml is None else tuple(sorted((path, xml)))


def describe_empad(path: str | Path) -> Description:
    """Return shape and type of the frames without reading them."""
    raw, _ = _both(path)
    frames = raw.stat().st_size // (_PIXEL_BYTES + _gap_bytes(raw))
    return [(raw.name, (frames, _SIDE, _SIDE), "float32")]


def read_empad(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a scan of an EMPAD from its raw file or its XML; the patterns stay on disk.

    Raises:
        DataError: The raw file is missing or cut short, the XML is damaged, the step of the raster
            or the size of a pixel is not known, or what `as_scan` refuses.
    """
    raw, xml = _both(path)
    patterns = _patterns(raw)
    said_map = parse_map(data.map)
    raster, said = (
        raster_of_xml(xml) if xml else (Raster(_scan_of_raw(raw) or (1, len(patterns))), [])
    )
    where = placed(raw, "frames", raster, said_map, (len(patterns), _SIDE))
    return as_scan(
        Measurement(
            path=raw,
            patterns=patterns,
            patterns_key="frames",
            frame=where.frame,
            domain="counts",
            pixel_size_m=where.pixel_size_m,
            wavelength_m=where.wavelength_m,
            decisions=(
                "Negative values, readout noise, are read as 0.",
                *(*(said if _used(raster, said_map) else ()), *where.decisions),
            ),
        ),
        data,
    )


def _used(raster: Raster, said_map: FileMap) -> bool:
    """Tell whether what the XML says was used, and so has to be spoken of."""
    return overridden(raster, said_map) == raster


def _patterns(raw: Path) -> StoredPatterns:
    gap, size = _gap_bytes(raw), raw.stat().st_size
    if not size or size % (_PIXEL_BYTES + gap):
        raise refusal(
            raw,
            "",
            f"{bytes_in_words(size)}, no whole number of frames",
            f"frames of {_SIDE} x {_SIDE} float32 with or without {_GAP_BYTES} bytes after each",
            "copy the file again",
        )
    frames = size // (_PIXEL_BYTES + gap)
    source = RawFrames(str(raw), frames, (_SIDE, _SIDE), np.dtype("<f4"), gap_bytes=gap)
    return StoredPatterns(raw, [source]).without_negatives()


def _gap_bytes(raw: Path) -> int:
    """Return how many bytes stand after each frame, told by the size of the file."""
    size, scan = raw.stat().st_size, _scan_in_name(raw)
    if scan and size == scan[0] * scan[1] * _PIXEL_BYTES:
        return 0
    return _GAP_BYTES if size % (_PIXEL_BYTES + _GAP_BYTES) == 0 or size % _PIXEL_BYTES else 0


def _scan_of_raw(path: str | Path) -> tuple[int, int] | None:
    """Return rows and columns of the scan as the raw file says them; None when it does not."""
    raw = Path(path)
    frames, rest = divmod(raw.stat().st_size, _PIXEL_BYTES + _gap_bytes(raw))
    if rest or not frames:
        return None
    for shape in (_scan_in_name(raw), _scan_in_gaps(raw, frames) if _gap_bytes(raw) else None):
        if shape is not None and shape[0] * shape[1] == frames:
            return shape
    return None


def _scan_in_name(raw: Path) -> tuple[int, int] | None:
    """Return rows and columns of a name such as ``scan_x64_y48.raw``."""
    found = _IN_NAME.search(raw.name)
    return (int(found[2]), int(found[1])) if found else None


def _scan_in_gaps(raw: Path, frames: int) -> tuple[int, int] | None:
    """Return rows and columns by the places that stand after the first and the last frame."""
    stride = _PIXEL_BYTES + _GAP_BYTES
    with raw.open("rb") as file:
        places = []
        for number in (0, frames - 1):
            file.seek(number * stride + _PIXEL_BYTES)
            places.append(np.frombuffer(file.read(_GAP_BYTES), "<f4")[_PLACE].astype(np.float64))
    sizes = 1 + places[1] - places[0]
    if not np.isfinite(sizes).all() or (sizes < 1).any() or (sizes > frames).any():
        return None
    return int(sizes[0]), int(sizes[1])


def _both(path: str | Path) -> tuple[Path, Path | None]:
    """Return raw file and XML; refuses an XML without its raw file."""
    require_file(path)
    place = Path(path)
    if not looks_like_xml(path):
        return place, xml_beside(path)
    name = raw_name(path)
    raw = place.with_name(name or "")
    if name is None or not raw.is_file():
        raise refusal(
            path,
            "",
            "an XML file without its raw file beside it",
            f"also {name or 'the raw file'}, the patterns",
            "put it there",
        )
    return raw, place
