"""A scan in a few plain numbers, and whether weights were trained on anything like it."""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from scipy.spatial import cKDTree

from ptychopinn.data.normalisation import mean_counts
from ptychopinn.errors import DataError
from ptychopinn.physics.fourier import fourier, intensity
from ptychopinn.scan import Scan

#: Share of the light inside a diameter.
_HELD = 0.9
#: Positions whose neighbours are counted; more would only take time.
_SAMPLE = 2000


@dataclass(frozen=True)
class ScanDescriptors:
    """What decides how hard a scan is; plain numbers."""

    n: float
    """Side N of a pattern in pixels."""
    modes: float
    """Incoherent probe modes P."""
    photons_per_pattern: float
    """Mean photons of a pattern in good pixels."""
    probe_diameter: float
    """Diameter of the circle about the probe's centre of light that holds 90 % of its light, as a
    share of N."""
    far_field_diameter: float
    """The same of the probe's far field, as a share of N."""
    overlap: float
    """1 - s / d, with s the median distance of a position from its nearest neighbour and d the
    probe diameter in pixels; negative when neighbours do not touch."""
    patterns_per_probe_area: float
    """Mean number of positions, its own included, no farther than d / 2 from a position."""
    masked_fraction: float
    """Share of the detector's pixels that are bad."""

    def to_dict(self) -> dict[str, float]:
        """Return plain values."""
        return dataclasses.asdict(self)


def describe_scan(scan: Scan, pattern_counts: float | None = None) -> ScanDescriptors:
    """Describe a scan, in whatever gauge its probe is.

    Args:
        scan: Of at least one pattern; the overlap of a single pattern is 0.
        pattern_counts: Mean photons of a pattern where they are known; None = counted.

    Raises:
        DataError: The probe has no light.
    """
    light = (np.abs(scan.probe.astype(np.complex128)) ** 2).sum(axis=0)
    wave = torch.from_numpy(np.ascontiguousarray(scan.probe))
    far = intensity(fourier(wave)).numpy()
    diameter_px = light_diameter_px(light)
    step_px, neighbours = _neighbourhood(scan.positions_px, diameter_px)
    return ScanDescriptors(
        n=float(scan.n),
        modes=float(scan.n_modes),
        photons_per_pattern=mean_counts(scan) if pattern_counts is None else pattern_counts,
        probe_diameter=diameter_px / scan.n,
        far_field_diameter=light_diameter_px(far) / scan.n,
        overlap=1 - step_px / diameter_px,
        patterns_per_probe_area=neighbours,
        masked_fraction=float((~scan.mask).mean()),
    )


def light_diameter_px(light: np.ndarray) -> float:
    """Return the diameter of the circle about the centre of (N, N) light that holds 90 % of it.

    At least one pixel, the diameter of the smallest thing that can be told.
    """
    total = float(light.sum(dtype=np.float64))
    if not 0 < total < math.inf:
        raise DataError(f"probe: found a total light of {total}, wanted some; give another probe.")
    y, x = np.indices(light.shape)
    middle = (float((y * light).sum() / total), float((x * light).sum() / total))
    radius = np.hypot(y - middle[0], x - middle[1]).ravel()
    order = np.argsort(radius)
    held = np.cumsum(light.ravel()[order], dtype=np.float64) / total
    last = min(int(np.searchsorted(held, _HELD)), len(order) - 1)
    return max(1.0, 2 * float(radius[order[last]]))


def _neighbourhood(positions_px: np.ndarray, diameter_px: float) -> tuple[float, float]:
    """Return the median distance to the nearest neighbour, and how many stand in a probe."""
    count = len(positions_px)
    if count < 2:
        return diameter_px, 1.0
    tree = cKDTree(positions_px)
    chosen = positions_px[:: max(1, count // _SAMPLE)]
    nearest = tree.query(chosen, k=2)[0][:, 1]
    near = tree.query_ball_point(chosen, diameter_px / 2, return_length=True)
    return float(np.median(nearest)), float(np.mean(near))


#: Descriptors that range over decades.
_LOGARITHMIC = ("n", "photons_per_pattern", "patterns_per_probe_area")
#: Least width of a range, so that a quantity that never varied is not infinitely narrow.
_LEAST_WIDTH = {"n": 0.3, "modes": 1.0, "masked_fraction": 0.05}
_OTHER_LEAST_WIDTH = 0.1


@dataclass(frozen=True)
class DescriptorRanges:
    """Lowest and highest value of every descriptor among the scans of a training."""

    low: ScanDescriptors
    high: ScanDescriptors

    @classmethod
    def from_many(cls, scans: Iterable[ScanDescriptors]) -> Self:
        """Span the ranges of many scans.

        Raises:
            DataError: There is no scan.
        """
        rows = [scan.to_dict() for scan in scans]
        if not rows:
            raise DataError("descriptors: found no scan, wanted at least one to span a range.")
        ends = [{name: end(row[name] for row in rows) for name in rows[0]} for end in (min, max)]
        return cls(ScanDescriptors(**ends[0]), ScanDescriptors(**ends[1]))

    def widened(self, scan: ScanDescriptors) -> Self:
        """Return the ranges that hold one more scan."""
        return type(self).from_many([self.low, self.high, scan])

    def outside(self, scan: ScanDescriptors) -> dict[str, float]:
        """Return how far each descriptor lies outside, in widths of its range; 0 is inside.

        n, photons and patterns per probe area are taken as logarithms (base 10).
        """
        low, high, found = (x.to_dict() for x in (self.low, self.high, scan))
        return {name: _outside(name, found[name], low[name], high[name]) for name in found}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build from plain values.

        Raises:
            DataError: Names are missing or unknown, or a value is no number.
        """
        try:
            ends = [{name: float(x) for name, x in values[end].items()} for end in ("low", "high")]
            return cls(ScanDescriptors(**ends[0]), ScanDescriptors(**ends[1]))
        except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"descriptors: not the ranges of this version: {error}.") from error


def _outside(name: str, value: float, low: float, high: float) -> float:
    least = _LEAST_WIDTH.get(name, _OTHER_LEAST_WIDTH)
    if name in _LOGARITHMIC:
        value, low, high = (math.log10(max(x, 1e-12)) for x in (value, low, high))
    return max(0.0, low - value, value - high) / max(high - low, least)
