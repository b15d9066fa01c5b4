"""All checks, in the order in which they are shown."""

from collections.abc import Callable

from ptychopinn.preflight.facts import Facts, gather
from ptychopinn.preflight.findings import Finding
from ptychopinn.preflight.light_checks import (
    detector_edge,
    detector_gaps,
    photons,
    resolution,
    saturation,
    steadiness,
    zero_frequency,
)
from ptychopinn.preflight.orientation_check import orientation
from ptychopinn.preflight.position_checks import duplicates, holes, one_piece, raster, step
from ptychopinn.preflight.probe_checks import overlap, oversampling, probe_fit, probe_window
from ptychopinn.scan import Scan

Check = Callable[[Facts], Finding]

#: Every check; the docstring of each has its thresholds and their source.
CHECKS: tuple[Check, ...] = (
    overlap,
    oversampling,
    probe_window,
    probe_fit,
    photons,
    steadiness,
    saturation,
    detector_gaps,
    detector_edge,
    zero_frequency,
    step,
    duplicates,
    one_piece,
    holes,
    raster,
    orientation,
    resolution,
)
#: Patterns that are read by all checks, and by the quick form before a run.
_MOST, _QUICK = 2048, 64
#: Positions beyond which the quick form leaves out a check that would take a second by then.
_MOST_POSITIONS: dict[Check, int] = {holes: 20_000, one_piece: 100_000}


def check_scan(scan: Scan) -> list[Finding]:
    """Check everything about a scan that can be seen without reconstructing it.

    Args:
        scan: What was measured, in any gauge.
    """
    facts = gather(scan, _MOST)
    return [check(facts) for check in CHECKS]


def quick_checks(scan: Scan) -> list[Finding]:
    """Check the same on fewer patterns: well under a second, whatever the scan.

    Args:
        scan: What was measured, in any gauge.
    """
    facts = gather(scan, _QUICK)
    count = scan.n_patterns
    return [check(facts) for check in CHECKS if count <= _MOST_POSITIONS.get(check, count)]
