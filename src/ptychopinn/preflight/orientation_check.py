"""Does the detector stand to the axes of the scan as it is said to?"""

import numpy as np
from scipy.spatial import cKDTree

from ptychopinn.preflight.facts import Facts
from ptychopinn.preflight.findings import Finding
from ptychopinn.preflight.momentum import CLASSES, gradient_misfit, mean_momenta
from ptychopinn.preflight.twin import twin_of
from ptychopinn.symmetry import ORIENTATIONS, orientation_name

_NAME = "orientation"
#: Patterns that are looked at, neighbours in the middle of the scan.
_PATTERNS = 256
#: A gradient leaves no more than this, if it is one.
_MOST_MISFIT = 0.6
#: The best class is believed when it leaves less than this share of what the stored one leaves.
_BETTER = 0.75


def orientation(facts: Facts) -> Finding:
    """The mean momenta of the patterns are a gradient, as they are read.

    See `momentum.gradient_misfit`; measured on the Siemens star: 0.2 as it is, 0.5 mirrored, 0.75
    a quarter turned. Fails when another orientation leaves less than 3/4 of what this one leaves.
    Half a turn cannot be seen; ``ptychopinn orient`` tells all eight.
    """
    scan = facts.scan
    most = min(_PATTERNS, scan.n_patterns)
    middle = np.median(scan.positions_px, axis=0)
    chosen = np.sort(np.atleast_1d(cKDTree(scan.positions_px).query(middle, k=most)[1]))
    found = gradient_misfit(scan.positions_px[chosen], mean_momenta(scan, chosen))
    if found is None:
        return Finding(_NAME, "pass", "too few positions to tell")
    stored, best = found.misfit[CLASSES[0]], found.misfit[found.best]
    if best > _MOST_MISFIT:
        said = f"cannot be seen: mean momenta are no gradient in any orientation ({best:.2f})"
        return Finding(_NAME, "pass", said)
    if best < _BETTER * stored:
        twin = orientation_name(twin_of(ORIENTATIONS[found.best]))
        said = f"mean momenta are no gradient ({stored:.2f} left over), but are one when patterns "
        said += f"are turned further: {found.best} or {twin} ({best:.2f})"
        return Finding(_NAME, "fail", said, "run ptychopinn orient, which prints the flags to add")
    said = f"mean momenta are a gradient ({stored:.2f} left over)"
    return Finding(_NAME, "pass", said)
