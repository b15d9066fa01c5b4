"""Detector pixels that cannot be trusted, found by what all patterns have in common."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import rank_filter

from ptychopinn.scan import BadPixels, Patterns

#: Detector pixels that are looked at: enough patterns for statistics, spread over the scan.
_SAMPLE_PIXELS = 2**23
#: Fewer patterns than this say nothing about a pixel.
_LEAST_PATTERNS = 32
#: Patterns are read in pieces of about this size, in pixels.
_CHUNK_PIXELS = 2**21
#: Parts of the sample that must agree, so that a cosmic ray in one pattern makes no hot pixel.
_PARTS = 4

#: A pixel is hot when it has this many times the counts of all its neighbours but one.
_HOT_RATIO = 10.0
#: No pixel this close to the middle of the pattern is hot: a direct beam may be that sharp.
_DIRECT_BEAM_PX = 3
#: Counts in all on both sides of a gap whose edge no diffraction pattern could make.
_BESIDE_GAP = 500.0
#: Median and least counts in all around a single pixel without any.
_AROUND_DEAD = (24.0, 8.0)
#: Saturation far above single photons, where equal counts are not chance.
_LEAST_SATURATED = 200.0
#: Larger shares of the detector are not believed: the rule does not suit the data.
_MOST = {"saturated": 0.1, "hot": 0.02, "dead": 0.4}


@dataclass(frozen=True)
class _Statistics:
    """What a sample of M patterns says about every pixel, in counts."""

    patterns: int
    """M."""
    total: np.ndarray
    """(N, N) counts in all; where counts have no known unit, patterns in which the pixel is lit."""
    steady: np.ndarray
    """(N, N) counts in all, as the darkest part of the sample would have them."""
    largest: np.ndarray
    """(N, N) largest count."""
    ties: np.ndarray
    """(N, N) patterns that have this largest count."""


def find_bad_pixels(
    patterns: Patterns, marked: np.ndarray, faulty: np.ndarray, domain: str
) -> tuple[BadPixels, list[str]]:
    """Find saturated, hot and dead pixels, and put them beside those that are known.

    saturated: at least 2 patterns and one in a hundred have the largest value of the integer
        type, or at least 4 and one in twenty the largest count of the whole scan.
    hot: the same count in every pattern, or, throughout the scan, more than ten times the counts
        of all eight neighbours but one. A band-limited intensity has no such peak, except perhaps
        in the direct beam, which is left alone.
    dead: no count in any pattern, although all neighbours have some, or although the pixels at
        both ends of a short run of such pixels have hundreds: an intensity fades, it does not
        stop. Dark surroundings and the shadow of a central stop are not dead. A line of pixels
        that is dark from end to end and dead in its bright part is dead as a whole (a gap between
        modules).

    A missed pixel costs little, a wrong alarm throws away what was measured; so the rules are
    strict, and a kind that would take a large share of the detector is not believed.

    Args:
        patterns: (K, N, N) real, in memory or mapped; at most 2^23 pixels are read.
        marked: (N, N) bool, pixels that the user or the file marks as bad.
        faulty: (N, N) bool, pixels that hold NaN, infinity or negative values somewhere.
        domain: ``counts`` or ``amplitude``.

    Returns:
        All bad pixels by kind, and sentences on kinds that were not believed.

    Tested: tests/io/test_bad_pixels.py.
    """
    kinds = {"marked": marked, "faulty": faulty & ~marked}
    good = ~(marked | faulty)
    sample = _sample(patterns)
    if len(sample) < _LEAST_PATTERNS:
        return BadPixels(kinds), []
    seen = _look(patterns, sample, good, domain)
    said = []
    for kind, find in (("saturated", _saturated), ("hot", _hot), ("dead", _dead)):
        found = find(seen, good, patterns.dtype) & good
        if found.mean() > _MOST[kind]:
            said.append(
                f"{found.mean():.0%} of the detector looks {kind}, more than can be believed; "
                "those pixels are used as they are."
            )
            continue
        kinds[kind] = found
        good = good & ~found
    return BadPixels(kinds), said


def _sample(patterns: Patterns) -> np.ndarray:
    """Return pattern numbers spread over the scan."""
    count, n = len(patterns), patterns.shape[1]
    most = max(2 * _LEAST_PATTERNS, _SAMPLE_PIXELS // n**2)
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


def _pieces(patterns: Patterns, numbers: np.ndarray, domain: str) -> Iterator[np.ndarray]:
    step = max(1, _CHUNK_PIXELS // patterns.shape[1] ** 2)
    for start in range(0, len(numbers), step):
        block = np.asarray(patterns[numbers[start : start + step]])
        yield block if domain == "counts" else np.square(block.astype(np.float64))


def _look(patterns: Patterns, sample: np.ndarray, good: np.ndarray, domain: str) -> _Statistics:
    """Go through the sample once; bad pixels count as dark."""
    shape = patterns.shape[1:]
    totals = np.zeros((_PARTS, *shape))
    lit, largest, ties = np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int64)
    whole = True
    for part in range(_PARTS):
        for block in _pieces(patterns, sample[part::_PARTS], domain):
            values = block if good.all() else np.where(good, block, block.dtype.type(0))
            totals[part] += values.sum(axis=0, dtype=np.float64)
            lit += np.count_nonzero(values, axis=0)
            highest = values.max(axis=0)
            equal = np.count_nonzero(values == highest, axis=0)
            ties = np.where(highest > largest, equal, ties + np.where(highest == largest, equal, 0))
            largest = np.maximum(largest, highest)
            if values.dtype.kind == "f":
                whole = whole and bool(np.abs(values - np.rint(values)).max() < 0.01)
    sizes = np.array([len(sample[part::_PARTS]) for part in range(_PARTS)])
    steady = (totals / sizes[:, None, None]).min(axis=0) * len(sample)
    total = totals.sum(axis=0) if whole else lit
    return _Statistics(len(sample), total, steady, largest, ties)


def _saturated(seen: _Statistics, good: np.ndarray, dtype: np.dtype) -> np.ndarray:
    full = np.zeros(good.shape, dtype=bool)
    if dtype.kind in "iu":
        at_limit = seen.largest == np.iinfo(dtype).max
        full = at_limit & (seen.ties >= max(2, 0.01 * seen.patterns))
    rest = np.where(good & ~full, seen.largest, 0)
    ceiling = rest.max()
    often = seen.ties >= max(4, 0.05 * seen.patterns)
    return full | ((rest == ceiling) & often & (ceiling >= _LEAST_SATURATED))


def _hot(seen: _Statistics, good: np.ndarray, dtype: np.dtype) -> np.ndarray:  # noqa: ARG001
    stuck = (seen.largest > 0) & (seen.ties == seen.patterns)
    light = np.where(good & ~stuck, seen.steady, 0)
    beside = rank_filter(light, rank=-2, footprint=_RING, mode="reflect")
    bound = beside + 5 * np.sqrt(beside) + 10
    n = good.shape[0]
    y, x = np.abs(np.mgrid[:n, :n] - n // 2)
    return stuck | ((light > _HOT_RATIO * bound) & (np.maximum(y, x) > _DIRECT_BEAM_PX))


_RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)


def _dead(seen: _Statistics, good: np.ndarray, dtype: np.dtype) -> np.ndarray:  # noqa: ARG001
    light = np.where(good, seen.total, 0)
    dark = light == 0
    longest = max(1, good.shape[0] // 8)
    in_rows = _short_runs(dark, light, longest)
    in_columns = _short_runs(dark.T, light.T, longest).T
    dead = in_rows | in_columns | _single(dark, light)
    least = max(4, good.shape[0] // 16)
    columns = dark.all(axis=0) & (in_rows.sum(axis=0) >= least)
    rows = dark.all(axis=1) & (in_columns.sum(axis=1) >= least)
    return dead | columns[None, :] | rows[:, None]


def _short_runs(dark: np.ndarray, light: np.ndarray, longest: int) -> np.ndarray:
    """Return the dark pixels of each row that lie between two bright ones."""
    n = dark.shape[1]
    place = np.broadcast_to(np.arange(n), dark.shape)
    before = np.maximum.accumulate(np.where(dark, -1, place), axis=1)
    after = np.minimum.accumulate(np.where(dark, n, place)[:, ::-1], axis=1)[:, ::-1]
    inside = dark & (before >= 0) & (after < n) & (after - before - 1 <= longest)
    ends = np.minimum(
        np.take_along_axis(light, np.clip(before, 0, n - 1), axis=1),
        np.take_along_axis(light, np.clip(after, 0, n - 1), axis=1),
    )
    return inside & (ends >= _BESIDE_GAP)


def _single(dark: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Return the dark pixels whose eight neighbours are lit, one of them excepted."""
    median = rank_filter(light, rank=4, footprint=_RING, mode="reflect")
    second = rank_filter(light, rank=1, footprint=_RING, mode="reflect")
    return dark & (median >= _AROUND_DEAD[0]) & (second >= _AROUND_DEAD[1])
