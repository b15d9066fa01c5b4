"""Fourier ring correlation: up to which spatial frequency two images agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft

from ptychopinn.axes import require_axes
from ptychopinn.errors import ConfigError, ShapeError, did_you_mean
from ptychopinn.evaluation.record import to_plain
from ptychopinn.evaluation.weighting import as_weight, require_finite, weighted_mean
from ptychopinn.evaluation.window import edge_taper, hann_window

#: The names of the thresholds, in the order of reports.
THRESHOLDS = ("half", "one_seventh", "half_bit")
#: The curve counts as fallen once it is below the threshold on this many rings in a row.
RINGS_BELOW = 3

_SMALLEST_SIDE = 8
_TAPER_PX = 8.0
_HALF_BIT_SNR = (np.sqrt(2.0) - 1) / 2


@dataclass(frozen=True)
class RingCorrelation:
    """A Fourier ring correlation curve over R rings, from low to high frequency."""

    frequency: np.ndarray
    """(R,) float64, middle of each ring in cycles per pixel; the last does not exceed 1/2."""
    correlation: np.ndarray
    """(R,) float64 within [-1, 1]; NaN where a ring of either spectrum is empty."""
    n: np.ndarray
    """(R,) int64, Fourier samples in each ring."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; NaN becomes None."""
        return to_plain(self)


@dataclass(frozen=True)
class Crossing:
    """Where a ring correlation falls below a threshold."""

    cycles_per_px: float
    """Frequency of the crossing; 0 when no ring reaches the threshold, and the last ring's
    frequency when the curve never falls below it."""
    reached_end: bool
    """True when the curve never fell: the pixel, not the image, limits the resolution."""
    half_period_m: float
    """Resolution as the smallest feature, 1/2 pixel_size / cycles_per_px; NaN when unknown."""
    full_period_m: float
    """Resolution as the finest grating, pixel_size / cycles_per_px; NaN when unknown."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; NaN and infinity become None."""
        return to_plain(self)


def fourier_ring_correlation(
    image: np.ndarray, reference: np.ndarray, weight: np.ndarray | None = None
) -> RingCorrelation:
    """Correlate two images ring by ring in Fourier space.

        FRC(k) = Re sum_ring F G* / sqrt( sum_ring |F|^2 * sum_ring |G|^2 )

    F and G are the spectra of window * (image - mean). The window is Hann's, so that the jump from
    one border to the other does not pass for detail; where a weight has zeros it also fades
    towards them. Removing the mean keeps the brightness of the background, on which any two
    images agree, out of the first rings. Ring k holds the frequencies that are nearer to
    k / min(H, W) cycles per pixel than to another ring, in both directions alike, so images need
    not be square; k runs from 1 to min(H, W) // 2 (the corners beyond 1/2 are left out).

    The real part, not the modulus, is taken: noise then averages to 0 and not to 1 / sqrt(n), but
    images must be aligned, a global phase included.

    Args:
        image: (H, W) real or complex.
        reference: (H, W) real or complex; a truth, or a reconstruction from the other half of the
            data.
        weight: (H, W) real >= 0; None counts all pixels the same.

    Raises:
        ShapeError: The arrays differ in size or have a side under 8 pixels.
        DataError: NaN or infinity where the weight is not 0.

    Source: Saxton & Baumeister, J. Microsc. 127, 127 (1982); van Heel & Schatz, J. Struct. Biol.
    151, 250 (2005).
    Tested: tests/evaluation/test_frc.py.
    """
    sizes = require_axes("reference", reference, "H W")
    require_axes("image", image, "H W", H=sizes["H"], W=sizes["W"])
    shape = (sizes["H"], sizes["W"])
    if min(shape) < _SMALLEST_SIDE:
        raise ShapeError(
            f"reference: expected at least {_SMALLEST_SIDE} x {_SMALLEST_SIDE} pixels for a ring "
            f"correlation, got {shape}; compare a larger region."
        )
    weight = as_weight(weight, shape)
    window = hann_window(shape) * (weight if weight.all() else edge_taper(weight, _TAPER_PX))
    spectra = [
        _spectrum(require_finite(name, values, weight), window)
        for name, values in (("image", image), ("reference", reference))
    ]
    return _correlate_rings(*spectra)


def threshold_curve(name: str, n: np.ndarray) -> np.ndarray:
    """Return a threshold for rings of n Fourier samples, (R,) float64.

    ``half``         1/2
    ``one_seventh``  1/7
    ``half_bit``     (s + (2 sqrt(s) + 1) / sqrt(n)) / (s + 1 + 2 sqrt(s) / sqrt(n)),
                     s = (sqrt(2) - 1) / 2 = 0.2071

    The half-bit curve is where two reconstructions, each from half of the data, together carry
    half a bit of information per Fourier sample; 1/7 is meant for such halves too. Against a
    noise-free truth, the same image crosses all three at higher frequencies.

    Raises:
        ConfigError: Another name.

    Source: van Heel & Schatz, J. Struct. Biol. 151, 250 (2005), eq. (17); Rosenthal & Henderson,
    J. Mol. Biol. 333, 721 (2003) for 1/7.
    """
    if name == "half_bit":
        root = np.sqrt(_HALF_BIT_SNR / n)
        noise = 1 / np.sqrt(n)
        return (_HALF_BIT_SNR + 2 * root + noise) / (_HALF_BIT_SNR + 1 + 2 * root)
    constants: Mapping[str, float] = {"half": 0.5, "one_seventh": 1 / 7}
    if name not in constants:
        raise ConfigError(f"threshold: '{name}' is unknown; {did_you_mean(name, THRESHOLDS)}")
    return np.full(np.shape(n), constants[name])


def crossing(
    curve: RingCorrelation, threshold: str = "half", pixel_size_m: float | None = None
) -> Crossing:
    """Find the frequency at which a ring correlation falls below a threshold for good.

    That is the first fall, counted from the first ring at or above the threshold, that lasts for
    3 rings (or to the end of the curve): neither a poor first ring, as from slow phase errors, nor
    a dip of a ring or two decides. Between the rings on either side the curve is taken as
    straight. Rings without a value (NaN) count as below.

    Args:
        curve: What `fourier_ring_correlation` returned.
        threshold: One of ``half``, ``one_seventh``, ``half_bit``; see `threshold_curve`.
        pixel_size_m: Side of a pixel, for the resolution in metres.

    Raises:
        ConfigError: An unknown threshold.
    """
    above = curve.correlation - threshold_curve(threshold, curve.n)
    below = ~(above >= 0)
    if below.all():
        return _crossing_at(0.0, False, pixel_size_m)
    for i in range(int(np.argmin(below)) + 1, len(below)):
        if below[i : i + RINGS_BELOW].all():
            return _crossing_at(_interpolate(curve, above, i), False, pixel_size_m)
    return _crossing_at(float(curve.frequency[-1]), True, pixel_size_m)


def _spectrum(values: np.ndarray, window: np.ndarray) -> np.ndarray:
    return fft.fft2(window * (values - weighted_mean(values, window)))


def _correlate_rings(image: np.ndarray, reference: np.ndarray) -> RingCorrelation:
    side = min(image.shape)
    fy, fx = np.meshgrid(*(fft.fftfreq(size) for size in image.shape), indexing="ij")
    ring = np.rint(np.hypot(fy, fx) * side).astype(np.int64).ravel()
    last = side // 2

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(ring, weights=values.ravel(), minlength=last + 1)[1 : last + 1]

    common = total((image * np.conj(reference)).real)
    power = np.sqrt(total(np.abs(image) ** 2) * total(np.abs(reference) ** 2))
    correlation = np.divide(common, power, out=np.full(last, np.nan), where=power > 0)
    counts = np.bincount(ring, minlength=last + 1)[1 : last + 1]
    return RingCorrelation(np.arange(1, last + 1) / side, correlation, counts)


def _interpolate(curve: RingCorrelation, above: np.ndarray, i: int) -> float:
    """Return where the straight line from ring i - 1 (above) to ring i (below) meets 0."""
    if not np.isfinite(above[i]):
        return float(curve.frequency[i - 1])
    share = above[i - 1] / (above[i - 1] - above[i])
    return float(curve.frequency[i - 1] + share * (curve.frequency[i] - curve.frequency[i - 1]))


def _crossing_at(frequency: float, reached_end: bool, pixel_size_m: float | None) -> Crossing:
    if pixel_size_m is None:
        period = float("nan")
    else:
        period = pixel_size_m / frequency if frequency > 0 else float("inf")
    return Crossing(frequency, reached_end, period / 2, period)
