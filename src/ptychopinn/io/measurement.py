"""The one way in which what a reader gathered becomes a `Scan`."""

import logging
from dataclasses import replace

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.errors import ConfigError
from ptychopinn.io.bad_pixels import find_bad_pixels
from ptychopinn.io.complex_array import as_probe
from ptychopinn.io.frame_view import FrameView
from ptychopinn.io.mask_file import read_mask_file
from ptychopinn.io.measurement_record import Measurement, Stage
from ptychopinn.io.pattern_array import (
    decide_domain,
    require_few_faults,
    require_light,
    survey,
)
from ptychopinn.io.probe_estimate import estimate_probe
from ptychopinn.io.probe_file import read_probe
from ptychopinn.io.squared import cropped, squared
from ptychopinn.io.stored_patterns import turned
from ptychopinn.io.turned_frame import turned_frame
from ptychopinn.io.zero_frequency import find_zero_frequency, mean_light
from ptychopinn.scan import BadPixels, Scan
from ptychopinn.symmetry import ORIENTATIONS, SCAN_AXES, STORED

__all__ = ["Measurement", "Stage", "as_scan", "oriented"]

_LOG = logging.getLogger(__name__)

#: More detector pixels with NaN, infinity or negative values than this are no bad pixels.
MOST_FAULTY = 0.1


def oriented(found: Measurement, data: DataConfig) -> Measurement:
    """Return a measurement turned as the settings say, with sentences about what was done.

    Patterns and marked pixels turn together; positions, canvas and truth turn together. The probe
    is never turned: the other two are brought into its frame.
    """
    corner, said = _corner(found, data)
    turn = ORIENTATIONS[data.orientation]
    view = FrameView(
        (found.patterns.shape[-2], found.patterns.shape[-1]),
        corner,
        *(turn.transpose, turn.flip_rows, turn.flip_columns),
    )
    if turn != STORED:
        said.append(f"The patterns are turned ({data.orientation}), as --orientation says.")
    axes = SCAN_AXES[data.scan_axes]
    frame, truth = found.frame, found.truth
    if axes != STORED and frame is not None:
        frame, truth = turned_frame(frame, truth, axes, found.patterns.shape[-1])
        said.append(f"The positions are turned ({data.scan_axes}), as --scan-axes says.")
    if not said:
        return found
    still = view == FrameView(view.shape)
    return replace(
        found,
        patterns=found.patterns if still else turned(found.patterns, view),
        marked=None if found.marked is None else view.apply(found.marked),
        frame=frame,
        truth=truth,
        decisions=(*found.decisions, *said),
    )


def _corner(found: Measurement, data: DataConfig) -> tuple[bool, list[str]]:
    """Tell whether the zero frequency of patterns has to be moved from the corner, and why."""
    if data.zero_frequency == "middle":
        return False, []
    why = "as --zero-frequency says"
    if data.zero_frequency == "auto":
        light = mean_light(found.patterns, found.marked)
        if not find_zero_frequency(light).in_corner:
            return False, []
        why = "where the light lies; override with --zero-frequency middle"
    return True, [f"The zero frequency was moved from the corner to the middle, {why}."]


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
    found = cropped(oriented(squared(_as_marked(found, data), data), data), data)
    assert found.frame is not None  # `squared` turns stage positions into a frame
    key, n = found.patterns_key, found.patterns.shape[-1]
    marked = np.zeros((n, n), dtype=bool) if found.marked is None else found.marked
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
    probe, probe_said = _probe(found, data, bad.mask, domain)
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
            scan_index=found.scan_index,
        )
    )


def _logged(scan: Scan) -> Scan:
    for sentence in scan.decisions:
        _LOG.info("%s: %s", scan.name, sentence)
    return scan


def _probe(
    found: Measurement, data: DataConfig, mask: np.ndarray, domain: str
) -> tuple[np.ndarray, list[str]]:
    """Return the probe (P, N, N) and what was decided about it."""
    n = len(mask)
    if data.probe is not None:
        probe = as_probe(data.probe, "probe", read_probe(data.probe), n)
        return probe, [f"The probe comes from {data.probe}, as --probe says."]
    key = found.probe_key
    if found.probe is None:
        return estimate_probe(found.patterns, mask, domain), [
            "The probe was estimated from the mean pattern, because the file has none; refine it "
            "(--refine-probe true) or give one with --probe FILE."
        ]
    real = found.probe.dtype.kind != "c"
    said = [f"{key} is real and was made complex."] if real else []
    return as_probe(found.path, key, found.probe, n), said


def _as_marked(found: Measurement, data: DataConfig) -> Measurement:
    """Return the measurement with the pixels marked that the settings want marked."""
    if data.mask is None:
        return replace(found, marked=None) if data.bad_pixels == "none" else found
    if data.bad_pixels == "none":
        raise ConfigError(
            f"data.mask: {data.mask} marks pixels that data.bad_pixels none wants used; leave "
            "out one of them."
        )
    rows, columns = found.patterns.shape[1:]
    return replace(found, marked=read_mask_file(data.mask, (rows, columns)))


def _said(bad: BadPixels) -> list[str]:
    """Return the sentence about bad pixels that were found, if there are any."""
    if not bad.counts:
        return []
    share = 100 * float((~bad.mask).mean())
    return [
        f"bad pixels, left out everywhere: {bad.describe()} ({share:.2f} % of the detector); "
        "override with --mask FILE or --bad-pixels file."
    ]
