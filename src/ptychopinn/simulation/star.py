"""The Siemens star: spokes in rings, and a mark that tells every flip and turn apart."""

import itertools

import numpy as np

#: Spokes are as fine as this many pixels a period (bright + dark) at their inner end.
FINEST_PERIOD_PX = 4.0
FEWEST_SPOKES, MOST_SPOKES = 8, 72
#: Where rings of spokes end, as shares of the way (on a log scale) from inner to outer radius.
RING_ENDS = (0.0, 0.4, 0.72, 1.0)
#: Free space between rings, as a share of the radius.
RING_GAP = 0.07


def siemens_star(shape: tuple[int, int]) -> np.ndarray:
    """Draw a star with a hub around the middle of the canvas and an L in its upper right.

    An edge is the line where a distance in pixels is zero, and coverage of a pixel is
    clip(1/2 + distance, 0, 1): edges are sharp but not jagged. The outer radius is 0.48 of the
    shorter side; the number of spokes grows with it.

    Returns:
        (H, W) float64 in [0, 1], 1 = covered.
    """
    y = np.arange(shape[0])[:, None] - (shape[0] - 1) / 2
    x = np.arange(shape[1])[None, :] - (shape[1] - 1) / 2
    outer = 0.48 * min(shape)
    count = int(np.clip(0.3 * outer, FEWEST_SPOKES, MOST_SPOKES))
    inner = min(FINEST_PERIOD_PX * count / (2 * np.pi), outer / 2)
    radius = np.hypot(y, x)
    star = np.minimum(_spokes(y, x, radius, count), _rings(radius, inner, outer))
    star = np.maximum(star, _cover(inner * 0.6 - radius))
    return _with_mark(star, y, x, min(shape))


def _cover(distance_px: np.ndarray) -> np.ndarray:
    """Turn a signed distance (positive inside) into the covered share of a pixel."""
    return np.clip(0.5 + distance_px, 0, 1)


def _spokes(y: np.ndarray, x: np.ndarray, radius: np.ndarray, count: int) -> np.ndarray:
    """Cover every other of 2 * count equal sectors, the first centred on the +x axis."""
    turns = np.arctan2(y, x) * count / (2 * np.pi)
    from_edge = 0.25 - np.abs(turns - np.round(turns))
    return _cover(radius * from_edge * 2 * np.pi / count)


def _rings(radius: np.ndarray, inner: float, outer: float) -> np.ndarray:
    """Cover the annuli in which spokes are drawn."""
    ends = inner * (outer / inner) ** np.asarray(RING_ENDS)
    annuli = [
        _cover(np.minimum(radius - low, high * (1 - RING_GAP) - radius))
        for low, high in itertools.pairwise(ends)
    ]
    return np.max(annuli, axis=0)


def _with_mark(star: np.ndarray, y: np.ndarray, x: np.ndarray, side: int) -> np.ndarray:
    """Clear a disc to the upper right of the middle and draw a letter L in it."""
    v, u = y + 0.18 * side, x - 0.13 * side
    size = 0.06 * side
    cleared = np.minimum(star, 1 - _cover(1.35 * size - np.hypot(v, u)))
    upright = _box(v, u + 0.35 * size, size, 0.25 * size)
    foot = _box(v - 0.75 * size, u - 0.1 * size, 0.25 * size, 0.7 * size)
    return np.maximum(cleared, np.maximum(upright, foot))


def _box(v: np.ndarray, u: np.ndarray, half_height: float, half_width: float) -> np.ndarray:
    return _cover(np.minimum(half_height - np.abs(v), half_width - np.abs(u)))
