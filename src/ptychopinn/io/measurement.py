"""What every reader gathers from its file, and the one way in which that becomes a `Scan`."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.errors import ConfigError
from ptychopinn.io.bad_pixels import find_bad_pixels
from ptychopinn.io.complex_array import as_probe
from ptychopinn.io.frame import Frame
from ptychopinn.io.mask_file import read_mask_file
from ptychopinn.io.pattern_array import (
    decide_domain,
    require_few_faults,
    require_light,
    survey,
)
from ptychopinn.io.probe_file import read_probe
from ptychopinn.io.refusal import refusal
from ptychopinn.scan import BadPixels, Scan

_LOG = logging.getLogger(__name__)

#: More detector pixels with NaN, infinity or negative values than this are no bad pixels.
MOST_FAULTY = 0.1


@dataclass(frozen=True)
class Measurement:
    """A scan as a file holds it, in the frame of this package, before anything was judged."""

    path: str | Path
    """The file, for messages."""
    patterns: np.ndarray
    """(K, N, N) real, zero frequency in the middle; may live on disk."""
    patterns_key: str
    """What the patterns are called in the file."""
    frame: Frame
    """Positions in canvas pixels, and the canvas."""
    probe: np.ndarray | None = None
    """As stored, real or complex: (N, N), (P, N, N), (N, N, 1) or (coherent, P, N, N); None when
    the file has none."""
    probe_key: str = "probe"
    """What the probe is, or would be, called in the file."""
    marked: np.ndarray | None = None
    """(N, N) bool, True = bad, as the file says; None when it says nothing."""
    domain: str = "auto"
    """``counts`` or ``amplitude`` where the format or the file says what patterns hold."""
    truth: np.ndarray | None = None
    """(H, W) complex64 object on the canvas, when it is known."""
    pixel_size_m: float | None = None
    """Side of a canvas pixel in metres, when known."""
    wavelength_m: float | None = None
    """Wavelength in metres, when known."""
    decisions: tuple[str, ...] = field(default=())
    """Sentences that say what the reader decided."""


def as_scan(found: Measurement, data: DataConfig) -> Scan:
    """Judge a measurement: probe, bad pixels, counts or amplitude; and say what was decided.

    The patterns are looked through once, in pieces, and stay where they are.

    Args:
        found: What the file holds.
        data: `domain`, `probe`, `bad_pixels` and `mask` override what the file says.

    Raises:
        DataError: Patterns are all zero, or have NaN, infinite or negative values in more than a
            tenth of the good pixels; the probe is missing, of another size, or without power.
        ConfigError: Overrides contradict each other.
    """
    key, n = found.patterns_key, found.patterns.shape[-1]
    probe, probe_said = _probe(found, data, n)
    marked = _marked(found, data, n)
    seen = survey(found.patterns, ~marked)
    most = MOST_FAULTY if data.bad_pixels == "auto" else 0.0
    require_few_faults(found.path, key, found.patterns, ~marked, seen, most)
    dark_said = require_light(found.path, key, found.patterns, seen)
    mask = ~(marked | seen.faulty)
    by_user = data.domain != "auto"
    domain, domain_said = decide_domain(
        *(key, found.patterns, mask, np.flatnonzero(seen.peaks)),
        data.domain if by_user else found.domain,
        by_user=by_user,
    )
    bad = BadPixels({"marked": marked, "faulty": seen.faulty})
    bad_said: list[str] = []
    if data.bad_pixels == "auto":
        bad, bad_said = find_bad_pixels(found.patterns, marked, seen.faulty, domain)
    return _logged(
        Scan(
            patterns=found.patterns,
            positions_px=found.frame.positions_px,
            probe=probe,
            mask=bad.mask,
            canvas_shape=found.frame.canvas_shape,
            domain=domain,
            truth=found.truth,
            pixel_size_m=found.pixel_size_m,
            wavelength_m=found.wavelength_m,
            name=str(found.path),
            decisions=(
                *(domain_said, *found.decisions, *found.frame.decisions, *probe_said),
                *(*dark_said, *bad_said, *_said(bad)),
            ),
            bad_pixels=bad,
        )
    )


def _logged(scan: Scan) -> Scan:
    for sentence in scan.decisions:
        _LOG.info("%s: %s", scan.name, sentence)
    return scan


def _probe(found: Measurement, data: DataConfig, n: int) -> tuple[np.ndarray, list[str]]:
    """Return the probe (P, N, N) and what was decided about it."""
    if data.probe is not None:
        probe = as_probe(data.probe, "probe", read_probe(data.probe), n)
        return probe, [f"The probe comes from {data.probe}, as --probe says."]
    key = found.probe_key
    if found.probe is None:
        raise refusal(found.path, key, "no probe", f"an array {key}", "give one with --probe FILE")
    real = found.probe.dtype.kind != "c"
    said = [f"{key} is real and was made complex."] if real else []
    return as_probe(found.path, key, found.probe, n), said


def _marked(found: Measurement, data: DataConfig, n: int) -> np.ndarray:
    """Return (N, N) bool, True = bad, as the file says it, or the file that replaces it."""
    if data.mask is not None:
        if data.bad_pixels == "none":
            raise ConfigError(
                f"data.mask: {data.mask} marks pixels that data.bad_pixels none wants used; leave "
                "out one of them."
            )
        return read_mask_file(data.mask, n)
    if data.bad_pixels == "none" or found.marked is None:
        return np.zeros((n, n), dtype=bool)
    return found.marked


def _said(bad: BadPixels) -> list[str]:
    """Return the sentence about bad pixels that were found, if there are any."""
    if not bad.counts:
        return []
    share = 100 * float((~bad.mask).mean())
    return [
        f"bad pixels, left out everywhere: {bad.describe()} ({share:.2f} % of the detector); "
        "override with --mask FILE or --bad-pixels file."
    ]
