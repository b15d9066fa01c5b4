"""The phase of an object as a real image: where 0 lies, and where the circle is cut open."""

from dataclasses import dataclass

import numpy as np

_BINS = 90
#: The circle is cut open where this many bins in a row (36 degrees) hold fewer than this share.
_GAP_BINS = 9
_MOST_IN_GAP = 0.005


@dataclass(frozen=True)
class PhaseFrame:
    """A global phase to remove, which no measurement can tell, and the cut of the circle."""

    zero_rad: float
    """The global phase."""
    cut_rad: float
    """Phases are those between the cut and the cut + 2 pi, less the global phase."""
    cyclic: bool
    """True when phases occur all around the circle, so that any cut runs through the image."""

    @classmethod
    def of(cls, waves: np.ndarray) -> "PhaseFrame":
        """Choose a frame in which the image has no wraps, if there is one.

        The circle is cut in the middle of its emptiest 36 degrees and the median of the phases
        becomes 0. Where those 36 degrees are not nearly empty (fewer than 0.5 % of the pixels),
        the circular mean becomes 0 and the cut lies opposite.

        Args:
            waves: Complex numbers in any order; those that are 0 or not finite are left out.
        """
        used = waves[np.isfinite(waves) & (waves != 0)]
        if not used.size:
            return cls(0.0, -np.pi, cyclic=False)
        cut, share = _emptiest(np.angle(used))
        if share < _MOST_IN_GAP:
            middle = cut + np.pi
            turned = np.angle(used * np.exp(-1j * middle))
            return cls(float(np.median(turned)) + middle, cut, cyclic=False)
        zero = float(np.angle(np.sum(used / np.abs(used))))
        return cls(zero, zero - np.pi, cyclic=True)

    def phase(self, waves: np.ndarray) -> np.ndarray:
        """Return phases in radians, continuous except across the cut; NaN stays NaN."""
        middle = self.cut_rad + np.pi
        return np.angle(waves * np.exp(-1j * middle)) + (middle - self.zero_rad)


def phasor(waves: np.ndarray) -> np.ndarray:
    """Return waves / |waves|, so that averages weigh all pixels the same.

    0 where a wave is 0, NaN where it is not finite.
    """
    modulus = np.abs(waves)
    usable = np.isfinite(modulus)
    unit = np.where(usable, 0, np.nan).astype(waves.dtype)
    return np.divide(waves, modulus, out=unit, where=usable & (modulus > 0))


def _emptiest(angles: np.ndarray) -> tuple[float, float]:
    """Return the middle of the emptiest stretch of the circle, and the share of phases in it."""
    counts, edges = np.histogram(angles, bins=_BINS, range=(-np.pi, np.pi))
    around = np.concatenate([counts, counts[: _GAP_BINS - 1]])
    held = np.convolve(around, np.ones(_GAP_BINS), mode="valid")
    emptiest = np.flatnonzero(held == held.min())
    first = int(_middle_of_longest_run(emptiest))
    middle = edges[0] + (first + _GAP_BINS / 2) * (2 * np.pi / _BINS)
    return float(middle), float(held.min() / angles.size)


def _middle_of_longest_run(places: np.ndarray) -> int:
    """Return the middle of the longest run of neighbouring places on the circle of bins."""
    marked = np.zeros(_BINS, dtype=bool)
    marked[places] = True
    if marked.all():
        return 0
    start = int(np.flatnonzero(~marked)[0])
    best_length, best_middle, length = 0, start, 0
    for step in range(1, _BINS + 1):
        place = (start + step) % _BINS
        length = length + 1 if marked[place] else 0
        if length > best_length:
            best_length, best_middle = length, start + step - length // 2
    return best_middle % _BINS
