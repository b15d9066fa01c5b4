"""PtychoPINN NPZ files, as PtychoPINN and Ptychodus write them, read as a `Scan`."""

import logging
from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.errors import ConfigError
from ptychopinn.io.archive import Archive
from ptychopinn.io.bad_pixels import find_bad_pixels
from ptychopinn.io.complex_array import as_probe, is_constant, require_object_header
from ptychopinn.io.frame import Frame, frame_of_object, frame_of_scan, require_positions
from ptychopinn.io.mask_file import read_bad_pixels, read_mask_file
from ptychopinn.io.pattern_array import (
    axis_order,
    decide_domain,
    require_few_faults,
    require_light,
    require_pattern_header,
    survey,
)
from ptychopinn.io.probe_file import read_probe
from ptychopinn.io.refusal import container, listed, missing, refusal
from ptychopinn.scan import BadPixels, Scan

_LOG = logging.getLogger(__name__)

#: Keys of the pattern array; the first that is there is read.
PATTERN_KEYS = ("diff3d", "diffraction")
#: More detector pixels with NaN, infinity or negative values than this are no bad pixels.
MOST_FAULTY = 0.1
_POSITIONS = "xcoords, ycoords"
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
    with True = bad, ``pixel_size_m``, ``wavelength_m``, and ``domain`` as this package writes it.
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
    n = member.shape[1]
    require_positions(path, _POSITIONS, positions, n)
    frame, truth, said = _read_frame(archive, positions, n)
    probe, probe_said = _read_probe(archive, data, n)
    marked = _read_marked(archive, data, n)
    stored = archive.map(key)
    patterns = stored if order == "kyx" else stored.transpose(2, 0, 1)
    found = survey(patterns, ~marked)
    most = MOST_FAULTY if data.bad_pixels == "auto" else 0.0
    require_few_faults(path, key, patterns, ~marked, found, most)
    dark_said = require_light(path, key, patterns, found)
    mask = ~(marked | found.faulty)
    wanted = data.domain if data.domain != "auto" else _domain_of_file(archive)
    domain, domain_said = decide_domain(
        key, patterns, mask, np.flatnonzero(found.peaks), wanted, by_user=data.domain != "auto"
    )
    bad = BadPixels({"marked": marked, "faulty": found.faulty})
    bad_said: list[str] = []
    if data.bad_pixels == "auto":
        bad, bad_said = find_bad_pixels(patterns, marked, found.faulty, domain)
    return _logged(
        Scan(
            patterns=patterns,
            positions_px=frame.positions_px,
            probe=probe,
            mask=bad.mask,
            canvas_shape=frame.canvas_shape,
            domain=domain,
            truth=truth,
            pixel_size_m=_read_length(archive, "pixel_size_m"),
            wavelength_m=_read_length(archive, "wavelength_m"),
            name=str(path),
            decisions=(
                *(domain_said, *decisions, *said, *probe_said, *dark_said),
                *(*bad_said, *_said(bad)),
            ),
            bad_pixels=bad,
        )
    )


def _logged(scan: Scan) -> Scan:
    for sentence in scan.decisions:
        _LOG.info("%s: %s", scan.name, sentence)
    return scan


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
    archive: Archive, positions: np.ndarray, n: int
) -> tuple[Frame, np.ndarray | None, list[str]]:
    """Return the frame, the truth where objectGuess is one, and what was decided."""
    key = "objectGuess"
    if key not in archive:
        frame = frame_of_scan(positions, n)
        return frame, None, frame.decisions
    member = archive.member(key)
    shape = require_object_header(archive.path, key, member.shape, member.dtype)
    frame = frame_of_object(archive.path, _POSITIONS, positions, n, shape)
    if not frame.on_object:
        return frame, None, frame.decisions
    guess = archive.read(key).reshape(shape).astype(np.complex64)
    if not np.isfinite(guess).all():
        said = "objectGuess only gives the size of the canvas because it holds NaN or infinity."
        return frame, None, [*frame.decisions, said]
    if is_constant(guess):
        said = "objectGuess only gives the size of the canvas because it is constant."
        return frame, None, [*frame.decisions, said]
    said = "objectGuess is taken as the true object, to compare with."
    return frame, guess, [*frame.decisions, said]


def _read_probe(archive: Archive, data: DataConfig, n: int) -> tuple[np.ndarray, list[str]]:
    """Return the probe (P, N, N) and what was decided about it."""
    key = "probeGuess"
    if data.probe is not None:
        probe = as_probe(data.probe, "probe", read_probe(data.probe), n)
        return probe, [f"The probe comes from {data.probe}, as --probe says."]
    if key not in archive:
        raise refusal(
            archive.path,
            key,
            f"only {listed(archive.keys())}",
            f"an array {key}",
            "give one with --probe FILE",
        )
    stored = archive.read(key)
    said = [] if stored.dtype.kind == "c" else ["probeGuess is real and was made complex."]
    return as_probe(archive.path, key, stored, n), said


def _read_marked(archive: Archive, data: DataConfig, n: int) -> np.ndarray:
    """Return (N, N) bool, True = bad, as the file says it, or the file that replaces it."""
    if data.mask is not None:
        if data.bad_pixels == "none":
            raise ConfigError(
                f"data.mask: {data.mask} marks pixels that data.bad_pixels none wants used; leave "
                "out one of them."
            )
        return read_mask_file(data.mask, n)
    if data.bad_pixels == "none":
        return np.zeros((n, n), dtype=bool)
    return read_bad_pixels(archive, n)


def _said(bad: BadPixels) -> list[str]:
    """Return the sentence about bad pixels that were found, if there are any."""
    if not bad.counts:
        return []
    share = 100 * float((~bad.mask).mean())
    return [
        f"bad pixels, left out everywhere: {bad.describe()} ({share:.2f} % of the detector); "
        "override with --mask FILE or --bad-pixels file."
    ]


def _read_length(archive: Archive, key: str) -> float | None:
    """Return a positive length in metres, or nothing when the file has none."""
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
    return value


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
