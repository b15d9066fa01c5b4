"""What the data cannot tell, and how it is fixed: scale between object and probe, global phase."""

import numpy as np
import torch

from ptychopinn.errors import DataError
from ptychopinn.physics.fourier import fourier, intensity

#: A probe whose own light falls on bad pixels nearly everywhere says nothing about its power.
LEAST_SEEN = 0.05


def seen_share(probe: torch.Tensor, mask: torch.Tensor) -> float:
    """Return the share of the probe's own light that falls on good detector pixels.

    What a detector gap takes away must not make the probe weaker, nor a step shorter. The object
    scatters little of the light far, so that the far field of the probe tells where most of it is
    missing. A share below a twentieth is not believed, and 1: scans are refused before that
    (`data.normalise`), but a refinement may try such a probe on its way.

    Args:
        probe: (P, N, N) complex.
        mask: (N, N) real, 1 = good pixel.
    """
    share = share_on(probe, mask)
    return share if share > LEAST_SEEN else 1.0


def share_on(probe: torch.Tensor, mask: torch.Tensor) -> float:
    """Return the share of the probe's own light that falls on good pixels; arguments as above."""
    light = intensity(fourier(probe))
    return float((light * mask).sum() / light.sum())


def scale_probe(probe: np.ndarray, pattern_counts: float) -> tuple[np.ndarray, float]:
    """Scale the probe so that sum|P|^2 over modes and pixels is the mean counts of a pattern.

    (q * O, P / q) gives the same data for every q; this choice makes the object's amplitude of
    order 1.

    Args:
        probe: (P, N, N) complex, any power.
        pattern_counts: Mean photons of a pattern, or of an empty beam where that is known.

    Returns:
        The scaled probe (complex64) and the factor that was applied.

    Raises:
        DataError: The probe has no power, or the patterns hold no photons.
    """
    power = float(np.sum(np.abs(probe.astype(np.complex128)) ** 2))
    if not np.isfinite(power) or power <= 0:
        raise DataError(
            f"probe: found a total power of {power}, wanted a positive one; give another probe."
        )
    if not np.isfinite(pattern_counts) or pattern_counts <= 0:
        raise DataError(
            f"patterns: found {pattern_counts} photons in the mean pattern, wanted a positive "
            "number; check that this is the right array, and its mask."
        )
    factor = float(np.sqrt(pattern_counts / power))
    return (probe * factor).astype(np.complex64), factor


def remove_global_phase(image: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Turn a complex image so that its weighted mean is real and positive.

    Args:
        image: (H, W) complex.
        weight: (H, W) real, for instance the coverage.
    """
    mean = complex(np.sum(weight * image))
    return image if mean == 0 else (image * (np.conj(mean) / abs(mean))).astype(image.dtype)
