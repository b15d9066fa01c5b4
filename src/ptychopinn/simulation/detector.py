"""What the detector makes of expected counts: photon noise, a gap, dead pixels."""

import numpy as np

from ptychopinn.config import SimulationConfig
from ptychopinn.errors import ConfigError

_COUNT_TYPES = (np.uint16, np.uint32, np.uint64)


def poisson_counts(rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw photon counts of any shape and return them in the smallest unsigned type that fits."""
    counts = rng.poisson(rates.astype(np.float64))
    largest = int(counts.max(initial=0))
    return counts.astype(next(kind for kind in _COUNT_TYPES if largest <= np.iinfo(kind).max))


def detector_mask(settings: SimulationConfig, rng: np.random.Generator) -> np.ndarray:
    """Return the good pixels of a detector with a vertical gap and dead pixels.

    The gap begins N // 16 columns (at least one) to the right of the middle column, so that the
    direct beam is hurt but not lost; dead_fraction of all N x N pixels, drawn at random, are dead.

    Returns:
        (N, N) bool, True = good.

    Raises:
        ConfigError: The gap leaves the detector.
    """
    n = settings.n
    first = n // 2 + max(1, n // 16)
    if first + settings.gap_px > n:
        raise ConfigError(
            f"simulation.gap_px: expected <= {n - first} for n = {n}, got {settings.gap_px}"
        )
    mask = np.ones((n, n), dtype=bool)
    mask[:, first : first + settings.gap_px] = False
    dead = rng.choice(n * n, size=round(settings.dead_fraction * n * n), replace=False)
    mask.flat[dead] = False
    return mask
