"""Do the positions make one scan: no repeats, no strays, no islands, no holes, no raster?"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, QhullError, cKDTree

from ptychopinn.io.scan_step import likely_units, room_step
from ptychopinn.preflight.facts import Facts
from ptychopinn.preflight.findings import Finding, above, below, finding
from ptychopinn.scan import Scan

#: Positions nearer than this are the same, in pixels: a tenth of what a reconstruction can tell.
_SAME_PX = 0.05
#: Neighbours that overlap by less than this share of the diameter are not tied together.
_LEAST_OVERLAP = 0.3
#: Displacements that agree to this share of the step make a raster.
_REGULAR = 0.05
#: Share of the displacements to the four nearest that agree on a raster (half of them, ideally).
_RASTER_SHARE = 0.35
#: Steps below both of these shares, of N and of the probe's diameter, are no steps of a scan.
_LEAST_OF_N, _LEAST_OF_PROBE = 0.01, 0.05
#: Positions that are looked at for regularity.
_SAMPLE = 2000


def step(facts: Facts) -> Finding:
    """Positions are pixels, and no larger unit that was read as pixels.

    Micrometres read as pixels make a scan that hardly moves: every pattern sees the same spot. A
    step is too small when it is below 1 % of N and also below 5 % of the probe's diameter, in the
    figure below 1 of both. Dense scans keep above it: 95 % overlap are 300 patterns to a spot. A
    focused electron probe that steps by a pixel is a few pixels wide. Repeats do not count: the
    step is the median way to the nearest position or sqrt(area / K), whichever is larger.
    """
    n, diameter = facts.scan.n, facts.probe_diameter_px
    nearest = (1 - facts.descriptors.overlap) * diameter
    size = max(nearest, room_step(facts.scan.positions_px))
    if facts.scan.n_patterns == 1 or not size:
        return Finding("step", "pass", "a single place")
    times = max(size / (_LEAST_OF_N * n), size / (_LEAST_OF_PROBE * diameter))
    return finding(
        "step",
        above(times, 2.0, 1.0),
        f"{size:.3g} px between neighbours, {times:.3g} times the least that a scan has "
        f"({size / n:.2%} of N, {size / diameter:.2%} of the probe's diameter)",
        _unit_remedy(size, facts.scan),
    )


def _unit_remedy(step_px: float, scan: Scan) -> str:
    units = likely_units(step_px, scan.n, scan.pixel_size_m)
    fitting = [f"{unit} ({px:.3g} px)" for unit, px in units.items() if px > 2 * step_px]
    likely = f"the positions look like {' or '.join(fitting)}: " if fitting else ""
    return (
        f"{likely}say the unit with --map position_unit= (and energy, distance and pixel where the "
        "file lacks them), or correct those"
    )


def duplicates(facts: Facts) -> Finding:
    """No two patterns stand at the same place.

    Repeats are harmless in themselves; but a stage that did not move while its positions did, or
    positions that were filled in, give them by the dozen.
    """
    cells = np.round(facts.scan.positions_px / _SAME_PX).astype(np.int64)
    repeated = len(cells) - len(np.unique(cells, axis=0))
    return finding(
        "duplicate positions",
        below(repeated / len(cells), 0.0, 0.2),
        f"{repeated} positions repeat an earlier one",
        "check the export of the positions",
    )


def one_piece(facts: Facts) -> Finding:
    """Every spot overlaps the rest of the scan.

    Neighbours are tied where spots overlap by 30 % of their diameter (Bunk et al., see `overlap`).
    Each island has a phase and a scale of its own that no data fixes; a few stray positions
    (under 1 %) only waste canvas.
    """
    count = len(facts.scan.positions_px)
    if count < 2:
        return Finding("one piece", "pass", "a single pattern")
    sizes = np.bincount(_islands(facts))
    apart = count - int(sizes.max())
    islands = f"{len(sizes)} islands" if len(sizes) > 1 else "one piece"
    return finding(
        "one piece",
        below(apart / count, 0.0, 0.01),
        f"{islands}; {apart} of {count} patterns lie apart from the largest",
        "remove stray positions; scan islands more densely, or reconstruct each by itself",
    )


def _islands(facts: Facts) -> np.ndarray:
    """Return (K,) the number of the island of each position."""
    places = facts.scan.positions_px
    reach = (1 - _LEAST_OVERLAP) * facts.probe_diameter_px
    near = min(9, len(places))
    distance, other = cKDTree(places).query(places, k=near, distance_upper_bound=reach)
    first = np.repeat(np.arange(len(places)), near).reshape(distance.shape)
    tied = np.isfinite(distance)
    graph = coo_array(
        (np.ones(int(tied.sum())), (first[tied], other[tied])), shape=(len(places),) * 2
    )
    return connected_components(graph, directed=False)[1]


def holes(facts: Facts) -> Finding:
    """No place inside the scan is far from every position.

    A circle without a position whose radius exceeds half the probe's diameter has a dark middle.
    Circles are those about the triangles of a Delaunay triangulation whose centre lies inside.
    """
    radius = _largest_empty_radius(facts.scan.positions_px)
    ratio = radius / (facts.probe_diameter_px / 2)
    return finding(
        "holes",
        below(ratio, 1.0, np.inf),
        f"the emptiest place lies {radius:.1f} px from a position ({ratio:.0%} of the probe's "
        "radius)",
        "the image has a hole there; scan it, or mind it when reading the image",
    )


def _largest_empty_radius(places: np.ndarray) -> float:
    """Return the radius of the largest empty circle with its centre inside the scan."""
    try:
        mesh = Delaunay(places)
    except (QhullError, ValueError):
        return 0.0
    a, b, c = (places[mesh.simplices[:, corner]] for corner in range(3))
    u, v = b - a, c - a
    cross = 2 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    safe = np.where(np.abs(cross) > 1e-9, cross, np.inf)
    squares = (u**2).sum(axis=1), (v**2).sum(axis=1)
    offset = np.stack(
        [
            (v[:, 1] * squares[0] - u[:, 1] * squares[1]) / safe,
            (u[:, 0] * squares[1] - v[:, 0] * squares[0]) / safe,
        ],
        axis=1,
    )
    inside = mesh.find_simplex(a + offset) >= 0
    return float(np.linalg.norm(offset, axis=1)[inside].max(initial=0.0))


def raster(facts: Facts) -> Finding:
    """Positions are not a regular raster.

    On a perfect raster the data do not change when probe and object take up opposite patterns of
    that period, which shows once the probe is refined: Thibault et al., Ultramicroscopy 109, 338
    (2009). Regular means that a third of the ways to the four nearest neighbours agree to 5 % of
    the step (half of them on a perfect raster).
    """
    places = facts.scan.positions_px
    if len(places) < 9:
        return Finding("raster", "pass", "too few positions to tell")
    chosen = places[:: max(1, len(places) // _SAMPLE)]
    distance, near = cKDTree(places).query(chosen, k=5)
    ways = (places[near[:, 1:]] - chosen[:, None]).reshape(-1, 2)
    ways[(ways[:, 0] < 0) | ((np.abs(ways[:, 0]) < 1e-9) & (ways[:, 1] < 0))] *= -1
    step = max(float(np.median(distance[:, 1])), 1e-9)
    agreeing = cKDTree(ways).query_ball_point(ways[:_SAMPLE], _REGULAR * step, return_length=True)
    share = float(agreeing.max()) / len(ways)
    return finding(
        "raster",
        below(share, _RASTER_SHARE, np.inf),
        f"{share:.0%} of the ways to the nearest positions are the same",
        "refine the probe with care, and vary the step next time (spiral, or jitter)",
    )
