"""Where in a pattern the zero frequency lies: in the middle, or in the corner."""

from typing import NamedTuple

import numpy as np

from ptychopinn.scan import Patterns

#: Patterns that are looked at, spread over the scan.
_SAMPLE = 16
#: Light this much gathered about one place says where that place is; 0 = spread evenly.
_GATHERED = 0.5


class ZeroFrequency(NamedTuple):
    """Where the light of patterns gathers on the detector, opposite edges joined."""

    centre: tuple[float, float]
    """(y, x) pixel about which the light gathers."""
    gathered: float
    """0 = spread evenly over the detector, 1 = all in one place."""
    n: int
    """Side N of the pattern."""

    @property
    def in_corner(self) -> bool:
        """Whether the zero frequency lies in the corner, beyond doubt."""
        away = [abs(place - self.n // 2) for place in self.centre]
        return self.gathered > _GATHERED and min(away) > self.n / 4

    @property
    def offset_px(self) -> tuple[float, float]:
        """(y, x) distance of the place from the middle, index N // 2."""
        return self.centre[0] - self.n // 2, self.centre[1] - self.n // 2


def find_zero_frequency(light: np.ndarray) -> ZeroFrequency:
    """Find where light gathers on the torus that the discrete Fourier transform lives on.

        z_axis = sum_q I(q) exp(2 pi i q_axis / N) / sum_q I(q)

    The angle of z is the place, its modulus says how gathered the light is.

    Args:
        light: (N, N) real and not negative, for instance a mean pattern.

    Returns:
        The middle, not gathered, where there is no light.

    The likelihood cannot tell the middle from the corner: moving patterns by N / 2 pixels
    multiplies the object by a chequerboard of signs. Only where the light lies can.
    """
    n = light.shape[-1]
    total = float(light.sum(dtype=np.float64))
    if total <= 0:
        return ZeroFrequency((n // 2, n // 2), 0.0, n)
    circle = np.exp(2j * np.pi * np.arange(n) / n)
    moments = [complex((light.sum(axis=1 - axis) * circle).sum()) / total for axis in (0, 1)]
    places = [round(float(np.angle(z)) / (2 * np.pi) * n, 6) % n for z in moments]
    return ZeroFrequency((places[0], places[1]), min(abs(z) for z in moments), n)


def mean_light(patterns: Patterns, marked: np.ndarray | None) -> np.ndarray:
    """Return the (N, N) mean of a few patterns spread over the scan; bad pixels are 0.

    Args:
        patterns: (K, N, N) counts or amplitudes, in memory or on disk.
        marked: (N, N) bool, True = bad; None = none is known.
    """
    chosen = np.unique(np.linspace(0, len(patterns) - 1, _SAMPLE).astype(int))
    block = np.asarray(patterns[chosen]).astype(np.float64)
    light = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0).clip(min=0).mean(axis=0)
    return light if marked is None else np.where(marked, 0.0, light)
