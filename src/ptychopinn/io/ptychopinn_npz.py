"""PtychoPINN NPZ files, as PtychoPINN and Ptychodus write them, read as a `Scan`."""

from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.archive import Archive
from ptychopinn.io.complex_array import is_constant, require_object_header
from ptychopinn.io.file_map import parse_map
from ptychopinn.io.frame import Frame, frame_of_object, frame_of_scan, require_positions
from ptychopinn.io.geometry import require_plausible
from ptychopinn.io.mask_file import read_bad_pixels
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.pattern_array import axis_order, require_pattern_header
from ptychopinn.io.refusal import container, listed, missing, refusal
from ptychopinn.io.said_lengths import (
    ObjectPixel,
    pixels_of_positions,
    said_pixel_m,
    said_wavelength,
)
from ptychopinn.io.stored_patterns import StoredPatterns
from ptychopinn.scan import Patterns, Scan

#: Keys of the pattern array; the first that is there is read.
PATTERN_KEYS = ("diff3d", "diffraction")
_POSITIONS = "xcoords, ycoords"
_PROBE = "probeGuess"
_DEFAULTS = DataConfig()


def is_scan_npz(path: str | Path) -> bool:
    """Tell whether a file is an NPZ with a pattern array; refuses a damaged NPZ."""
    if container(path) != "npz":
        return False
    archive = Archive(path)
    return any(key in archive for key in PATTERN_KEYS)


def describe_npz(path: str | Path) -> list[tuple[str, tuple[int, ...], str]]:
    """Return key, shape and type of every array of an NPZ without reading any."""
    return Archive(path).describe()


def read_scan_npz(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a PtychoPINN NPZ file.

    Keys: ``diff3d`` (n, y, x) or ``diffraction`` (y, x, n), counts or amplitudes; ``xcoords`` and
    ``ycoords`` (n,), column and row of the window's centre pixel on the object; ``probeGuess``
    (N, N), (P, N, N) or (N, N, 1); and where there ``objectGuess`` (H, W), ``bad_pixels`` (N, N)
    with True = bad, ``scan_index`` (n,), ``pixel_size_m``, ``wavelength_m``, and ``domain`` as this
    package writes it.
    What the file leaves open is decided and said in `Scan.decisions`. Patterns that are stored
    uncompressed stay on disk; they are looked through once, in pieces.

    Args:
        path: The file.
        data: `domain`, `axis_order`, `probe`, `bad_pixels` and `mask` override what the file says.

    Raises:
        DataError: The file is damaged, an array is missing or does not belong to the others,
            patterns are complex, not square, all zero, or have NaN, infinite or negative values in
            more than a tenth of the good pixels, positions
            are not finite, all equal, in the wrong unit or off the object, the probe has another
            size or no power, or an array needs more memory than there is.
    """
    archive = Archive(path)
    key = _pattern_key(archive)
    member = archive.member(key)
    require_pattern_header(path, key, member.shape, member.dtype)
    positions = _read_positions(archive)
    order, decisions = axis_order(path, key, member.shape, len(positions), data.axis_order)
    n, said_map = member.shape[1], parse_map(data.map)
    wavelength, wavelength_said = said_wavelength(
        said_map, lambda: (_read_length(archive, "wavelength_m", "wavelength"), [])
    )
    pixel = _read_pixel(archive, said_pixel_m(said_map, wavelength, n))
    placed = pixels_of_positions(path, _POSITIONS, positions, said_map, "px", pixel.sides_m)
    positions = placed.positions_px
    require_positions(path, _POSITIONS, positions, n, placed.stored)
    frame, truth, said = _read_frame(archive, positions, n, of_stage=placed.of_stage)
    index, index_said = _read_scan_index(archive, len(positions))
    return as_scan(
        Measurement(
            path=path,
            patterns=_patterns(archive, key, order),
            patterns_key=key,
            frame=frame,
            probe=_read_probe(archive, data),
            probe_key=_PROBE,
            marked=_read_marked(archive, data, n),
            domain=_domain_of_file(archive),
            truth=truth,
            pixel_size_m=pixel.side_m,
            wavelength_m=wavelength,
            scan_index=index,
            decisions=(
                *(*decisions, *wavelength_said, *pixel.decisions, *placed.decisions),
                *(*said, *index_said),
            ),
        ),
        data,
    )


def _patterns(archive: Archive, key: str, order: str) -> Patterns:
    """Return the patterns (K, N, N), on disk when they are stored uncompressed."""
    if order == "yxk":
        return archive.map(key).transpose(2, 0, 1)
    frames = archive.frames(key)
    return archive.read(key) if frames is None else StoredPatterns(archive.path, [frames])


def _pattern_key(archive: Archive) -> str:
    for key in PATTERN_KEYS:
        if key in archive:
            return key
    raise missing(archive.path, PATTERN_KEYS[0], archive.keys())


def _read_positions(archive: Archive) -> np.ndarray:
    """Return (K, 2) float64 (y, x)."""
    columns = []
    for key in ("ycoords", "xcoords"):
        member = archive.member(key)
        if len(member.shape) != 1 or member.dtype.kind not in "iuf":
            raise refusal(
                archive.path,
                key,
                f"shape {member.shape} of type {member.dtype}",
                "one real number per pattern",
                "flatten it to one axis",
            )
        columns.append(archive.read(key).astype(np.float64))
    if len(columns[0]) != len(columns[1]):
        raise refusal(
            archive.path,
            _POSITIONS,
            f"{len(columns[1])} x and {len(columns[0])} y",
            "equal numbers",
            "export the positions again",
        )
    return np.stack(columns, axis=1)


def _read_frame(
    archive: Archive, positions: np.ndarray, n: int, *, of_stage: bool
) -> tuple[Frame, np.ndarray | None, list[str]]:
    """Return the frame, the truth where objectGuess is one, and what was decided about it.

    Positions of a stage, which were lengths, do not index objectGuess.
    """
    key = "objectGuess"
    if key not in archive:
        return frame_of_scan(positions, n), None, []
    if of_stage:
        said = "objectGuess is set aside because the positions are lengths, not its pixels."
        return frame_of_scan(positions, n), None, [said]
    member = archive.member(key)
    shape = require_object_header(archive.path, key, member.shape, member.dtype)
    frame = frame_of_object(archive.path, _POSITIONS, positions, n, shape)
    if not frame.on_object:
        return frame, None, []
    guess = archive.read(key).reshape(shape).astype(np.complex64)
    if not np.isfinite(guess).all():
        said = "objectGuess only gives the size of the canvas because it holds NaN or infinity."
        return frame, None, [said]
    if is_constant(guess):
        said = "objectGuess only gives the size of the canvas because it is constant."
        return frame, None, [said]
    said = "objectGuess is taken as the true object, to compare with."
    return frame, guess, [said]


def _read_probe(archive: Archive, data: DataConfig) -> np.ndarray | None:
    """Return the probe as stored, unless another replaces it; refuses a file without one."""
    if data.probe is not None:
        return None
    if _PROBE not in archive:
        raise refusal(
            archive.path,
            _PROBE,
            f"only {listed(archive.keys())}",
            f"an array {_PROBE}",
            "give one with --probe FILE",
        )
    return archive.read(_PROBE)


def _read_marked(archive: Archive, data: DataConfig, n: int) -> np.ndarray | None:
    """Return (N, N) bool, True = bad, as the file says it, unless that does not count."""
    if data.mask is not None or data.bad_pixels == "none":
        return None
    return read_bad_pixels(archive, n)


def _read_scan_index(archive: Archive, count: int) -> tuple[np.ndarray | None, list[str]]:
    """Return (K,) int64 where the file holds several scans, and what that means."""
    key = "scan_index"
    if key not in archive:
        return None, []
    member = archive.member(key)
    numbers = archive.read(key) if member.dtype.kind in "iuf" else np.array([np.nan])
    whole = np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()
    if not whole or numbers.shape not in ((), (1,), (count,)):
        raise refusal(
            archive.path,
            key,
            f"shape {member.shape} of type {member.dtype}",
            f"one integer for each of the {count} patterns",
            "number the scans 0, 1, 2, or remove it where there is one scan",
        )
    labels = np.unique(numbers)
    if len(labels) < 2:
        return None, []
    said = (
        f"{key} names {len(labels)} scans: no group of patterns mixes them, and all lie on one "
        "canvas; keep them in files of their own where they show different objects."
    )
    return numbers.astype(np.int64), [said]


def _read_pixel(archive: Archive, said_m: float | None) -> ObjectPixel:
    """Return the object pixel that ``--map`` gives, or else that of the file.

    Positions are pixels, so that an object stays theirs whatever size these are said to have.
    """
    if said_m is not None:
        return ObjectPixel.as_said(said_m)
    key = "pixel_size_m"
    return ObjectPixel.square(archive.path, key, _read_length(archive, key, "object pixel"))


def _read_length(archive: Archive, key: str, what: str) -> float | None:
    """Return a length in metres that can be, or nothing when the file has none."""
    if key not in archive:
        return None
    member = archive.member(key)
    value = float("nan")
    if member.dtype.kind in "iuf" and member.shape in ((), (1,)):
        value = float(archive.read(key).reshape(()))
    if not 0 < value < np.inf:
        raise refusal(
            archive.path,
            key,
            f"{value:g} (shape {member.shape}, {member.dtype})",
            "one positive number of metres",
            "correct or remove it",
        )
    return require_plausible(archive.path, key, what, value)


def _domain_of_file(archive: Archive) -> str:
    """Return what the file itself says its patterns hold, or auto."""
    key = "domain"
    if key not in archive:
        return "auto"
    member = archive.member(key)
    value = "?"
    if member.dtype.kind == "U" and member.shape == ():
        value = str(archive.read(key))
    if value not in ("counts", "amplitude"):
        raise refusal(
            archive.path,
            key,
            f"'{value[:40]}' (shape {member.shape}, {member.dtype})",
            "counts or amplitude",
            "correct it, or override it with --domain",
        )
    return value
