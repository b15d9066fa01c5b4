"""How near one complex image is to another, in amplitude, in phase, and as a whole.

The images are compared as they are; `align` belongs before. The definitions of published tables
are in `paper`, and the two are never mixed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ptychopinn.axes import require_axes
from ptychopinn.evaluation.phase import comparable_phases
from ptychopinn.evaluation.record import to_plain
from ptychopinn.evaluation.ssim import ms_ssim, n_scales, ssim
from ptychopinn.evaluation.weighting import as_weight, require_finite, weighted_mean

#: A reference whose values differ by less than this share of their scale has no range.
SMALLEST_RANGE = 1e-6


@dataclass(frozen=True)
class Scores:
    """Figures for one real image, amplitude (no unit) or phase (radians)."""

    mae: float
    """Weighted mean of |difference|."""
    mse: float
    """Weighted mean of difference^2."""
    rmse: float
    """Square root of `mse`."""
    psnr_db: float
    """10 log10(range^2 / mse), range = max - min of the reference; infinite for equal images."""
    ssim: float
    """See `ssim.ssim`; data_range is the range of the reference."""
    ms_ssim: float
    """See `ssim.ms_ssim`; data_range is the range of the reference."""
    ms_ssim_scales: int
    """On how many scales `ms_ssim` was computed; 5 unless the image is small."""


@dataclass(frozen=True)
class Metrics:
    """Everything that is measured between two aligned complex images.

    A constant reference (the amplitude of a pure phase object) has no range; `psnr_db`, `ssim` and
    `ms_ssim` are then NaN, as is `phase_correlation` for a phase that does not vary.
    """

    amplitude: Scores
    """Of the moduli."""
    phase: Scores
    """Of the phases in radians; differences are wrapped to [-pi, pi]."""
    complex_nrmse: float
    """See `complex_nrmse`."""
    phase_correlation: float
    """Weighted Pearson correlation of the phases, -1 to 1."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; NaN and infinity become None."""
        return to_plain(self)


def measure(image: np.ndarray, reference: np.ndarray, weight: np.ndarray | None = None) -> Metrics:
    """Compare two aligned complex images.

    Args:
        image: (H, W) complex, in the frame of the reference.
        reference: (H, W) complex.
        weight: (H, W) real >= 0, how much each pixel counts; None counts all the same.

    Raises:
        ShapeError: The arrays differ in size, an image is not complex, or a side is shorter than
            the 11 pixels of a window.
        DataError: NaN or infinity where the weight is not 0.

    Removes nothing: a shift, a phase ramp or a global factor is error here, except that
    `complex_nrmse` is blind to the factor.
    Tested: tests/evaluation/test_metrics.py, test_ssim.py.
    """
    sizes = require_axes("reference", reference, "H W", kind="complex")
    require_axes("image", image, "H W", kind="complex", **sizes)
    weight = as_weight(weight, (sizes["H"], sizes["W"]))
    image = require_finite("image", image, weight).astype(np.complex128)
    reference = require_finite("reference", reference, weight).astype(np.complex128)
    phases = comparable_phases(image, reference, weight)
    moduli = np.abs(image), np.abs(reference)
    return Metrics(
        amplitude=score(*moduli, weight, scale=float(moduli[1][weight > 0].max())),
        phase=score(*phases, weight, scale=1.0),
        complex_nrmse=complex_nrmse(image, reference, weight),
        phase_correlation=_pearson(*phases, weight),
    )


def score(image: np.ndarray, reference: np.ndarray, weight: np.ndarray, *, scale: float) -> Scores:
    """Compare two real images (H, W); `scale` is their size, to tell a range from rounding."""
    difference = image - reference
    mse = float(weighted_mean(difference**2, weight))
    counted = reference[weight > 0]
    span = float(counted.max() - counted.min())
    data_range = span if span > SMALLEST_RANGE * scale else float("nan")
    return Scores(
        mae=float(weighted_mean(np.abs(difference), weight)),
        mse=mse,
        rmse=float(np.sqrt(mse)),
        psnr_db=psnr_db(mse, data_range),
        ssim=ssim(image, reference, data_range, weight),
        ms_ssim=ms_ssim(image, reference, data_range, weight),
        ms_ssim_scales=n_scales(reference.shape),
    )


def psnr_db(mse: float, peak: float) -> float:
    """Return 10 log10(peak^2 / mse) in dB; infinity where `mse` is 0."""
    if mse == 0 and peak > 0:
        return float("inf")
    return float(10 * np.log10(peak**2 / mse)) if peak > 0 else float("nan")


def complex_nrmse(image: np.ndarray, reference: np.ndarray, weight: np.ndarray) -> float:
    """Return Fienup's normalised error, which no global complex factor of the image changes.

        E = min_a sqrt( sum(w |reference - a image|^2) / sum(w |reference|^2) )

    0 for images that agree up to a factor, 1 for images that have nothing in common (and for an
    image of zeros); NaN where the reference is 0.

    Args:
        image: (H, W) complex.
        reference: (H, W) complex.
        weight: (H, W) real, >= 0.

    Source: Fienup, Appl. Opt. 36, 8352 (1997), eq. (4), without the search over shifts.
    """
    energy = np.sum(weight * np.abs(image) ** 2)
    best = np.sum(weight * reference * np.conj(image)) / energy if energy > 0 else 0.0
    wanted = np.sum(weight * np.abs(reference) ** 2)
    if wanted == 0:
        return float("nan")
    return float(np.sqrt(np.sum(weight * np.abs(reference - best * image) ** 2) / wanted))


def _pearson(image: np.ndarray, reference: np.ndarray, weight: np.ndarray) -> float:
    x, y = (values - weighted_mean(values, weight) for values in (image, reference))
    spreads = [np.sqrt(weighted_mean(values**2, weight)) for values in (x, y)]
    if min(spreads) <= SMALLEST_RANGE:
        return float("nan")
    return float(weighted_mean(x * y, weight) / (spreads[0] * spreads[1]))
