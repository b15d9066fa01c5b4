"""Which part of a canvas a picture shows, which of its pixels are known, and at what scale.

A canvas can have more pixels than a picture, and more than fit into memory twice. So everything
here goes over it in strips of rows, and averages blocks of pixels on the way.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

#: Pixels above this share of the largest illumination set crop and contrast.
WELL_COVERED = 0.05
#: Pixels below this share of the largest illumination are not shown: noise divided by nearly 0.
LEAST_SHOWN = 0.02

_MARGIN_SHARE = 0.02
_LEAST_MARGIN_PX = 2
_STRIP_ROWS = 256

_Box = tuple[slice, slice]


@dataclass(frozen=True)
class View:
    """A rectangle of a canvas, reduced to blocks of `factor` x `factor` pixels.

    (h, w) below is its size in blocks; the last block of a row or column may be cut short.
    """

    box: _Box
    """Slices (y, x) of the canvas."""
    factor: int
    """Side of a block in canvas pixels."""
    shown: np.ndarray
    """(h, w) bool, True where the light is enough for the image to mean something."""
    well_covered: np.ndarray
    """(h, w) bool, True where contrast may be taken from."""
    light: np.ndarray
    """(h, w) float32, mean illumination as a share of the largest on the canvas."""

    @classmethod
    def of(cls, coverage: np.ndarray, most_px: int, within: _Box | None = None) -> "View":
        """Look at the well-covered part of a canvas.

        Args:
            coverage: (H, W) real illumination of any scale. What is not finite counts as dark; a
                canvas without light is shown whole.
            most_px: Largest h and w.
            within: Slices (y, x) that the view must not leave; None = the canvas.
        """
        brightest = largest(coverage)
        box = within or (slice(0, coverage.shape[0]), slice(0, coverage.shape[1]))
        if brightest > 0:
            box = _cut(box, covered_box(coverage[box], WELL_COVERED * brightest))
        longest = max(part.stop - part.start for part in box)
        factor = -(-longest // most_px)
        light = _light(coverage[box], brightest, factor)
        return cls(box, factor, light > LEAST_SHOWN, light > WELL_COVERED, light)

    @property
    def shape(self) -> tuple[int, int]:
        """Size (h, w) in blocks."""
        return int(self.light.shape[0]), int(self.light.shape[1])

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top edge in canvas pixels, y down, pixel centres at integers."""
        top, left = (part.start - 0.5 for part in self.box)
        height, width = (side * self.factor for side in self.shape)
        return left, left + width, top + height, top

    def mean(
        self, canvas: np.ndarray, quantity: Callable[[np.ndarray], np.ndarray] = np.asarray
    ) -> np.ndarray:
        """Return (h, w) block means of a quantity of the canvas, NaN where nothing is shown.

        Values that are not finite are left out of the means.

        Args:
            canvas: (H, W) real or complex.
            quantity: What to average, a function of single pixels such as `numpy.abs`.
        """
        return self.mean_of_part(canvas[self.box], quantity)

    def mean_of_part(
        self, part: np.ndarray, quantity: Callable[[np.ndarray], np.ndarray] = np.asarray
    ) -> np.ndarray:
        """Do as `mean` for an array that has been cut to `box` already."""
        means = [
            _finite_means(quantity(part[rows]), self.factor)
            for rows in strips(len(part), self.factor)
        ]
        return np.where(self.shown, np.concatenate(means), np.nan)


def strips(height: int, factor: int = 1) -> Iterator[slice]:
    """Yield slices of rows that are whole blocks high, the last one excepted."""
    step = factor * max(1, _STRIP_ROWS // factor)
    for start in range(0, height, step):
        yield slice(start, min(start + step, height))


def largest(values: np.ndarray) -> float:
    """Return the largest finite value of (H, W) real values, at least 0."""
    return max(
        float(np.max(part, where=np.isfinite(part), initial=0.0))
        for part in (values[rows] for rows in strips(len(values)))
    )


def covered_box(coverage: np.ndarray, threshold: float) -> _Box:
    """Return the smallest rectangle with all coverage above the threshold, with a margin.

    The margin is 2 % of the longer side and at least 2 pixels, as far as the canvas reaches. The
    whole canvas is returned when nothing lies above the threshold.
    """
    rows = np.zeros(coverage.shape[0], dtype=bool)
    columns = np.zeros(coverage.shape[1], dtype=bool)
    for part in strips(len(coverage)):
        covered = (coverage[part] > threshold) & np.isfinite(coverage[part])
        rows[part] = covered.any(axis=1)
        columns |= covered.any(axis=0)
    spans = [np.flatnonzero(line) for line in (rows, columns)]
    if not spans[0].size:
        return slice(0, coverage.shape[0]), slice(0, coverage.shape[1])
    longest = max(int(span[-1] - span[0]) + 1 for span in spans)
    margin = max(_LEAST_MARGIN_PX, round(_MARGIN_SHARE * longest))
    y, x = (
        slice(max(0, int(span[0]) - margin), min(size, int(span[-1]) + 1 + margin))
        for span, size in zip(spans, coverage.shape, strict=True)
    )
    return y, x


def block_sum(values: np.ndarray, factor: int) -> np.ndarray:
    """Return sums over blocks of factor x factor pixels; blocks at the far edges may be cut."""
    if factor == 1:
        return values
    rows, columns = (np.arange(0, size, factor) for size in values.shape)
    return np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)


def _finite_means(values: np.ndarray, factor: int) -> np.ndarray:
    """Return block means over finite values; NaN where a block holds none."""
    with np.errstate(invalid="ignore"):  # infinity less infinity
        total = block_sum(values, factor)
    if np.isfinite(total).all():  # nearly always, and several times faster
        return total / _block_sizes(values.shape, factor)
    finite = np.isfinite(values)
    total = block_sum(np.where(finite, values, 0), factor)
    count = block_sum(finite.astype(np.float32), factor)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _block_sizes(shape: tuple[int, ...], factor: int) -> np.ndarray:
    """Return how many pixels each block has; those at the far edges may have fewer."""
    rows, columns = (
        np.minimum(factor, size - np.arange(0, size, factor)).astype(np.float32) for size in shape
    )
    return rows[:, None] * columns


def _light(coverage: np.ndarray, brightest: float, factor: int) -> np.ndarray:
    scale = 1 / brightest if brightest > 0 else 0.0
    means = [
        np.nan_to_num(_finite_means(coverage[rows], factor) * scale)
        for rows in strips(len(coverage), factor)
    ]
    return np.concatenate(means).astype(np.float32)


def _cut(outer: _Box, inner: _Box) -> _Box:
    """Return the slices of the canvas for a box inside another one."""
    y, x = (
        slice(whole.start + part.start, whole.start + part.stop)
        for whole, part in zip(outer, inner, strict=True)
    )
    return y, x
