"""A first guess of the probe from the patterns alone."""

import numpy as np
from scipy.ndimage import distance_transform_edt

from ptychopinn.scan import Patterns

#: Patterns that are looked at, spread over the scan.
_SAMPLE = 256


def estimate_probe(patterns: Patterns, mask: np.ndarray, domain: str) -> np.ndarray:
    """Return the wave (1, N, N) complex64 whose far field has the modulus of the mean pattern.

        P = F^-1[ sqrt(mean over patterns of I) ]

    The object scatters about the light of the probe, so the mean pattern is nearly the probe's own.
    Its phase is not measured: the guess has none, as a probe in focus; refine it. Bad pixels have
    the light of the nearest good one.

    Args:
        patterns: (K, N, N), zero frequency in the middle.
        mask: (N, N) bool, True = good pixel.
        domain: ``counts`` or ``amplitude``.

    Source: the start of SHARP, Marchesini et al., J. Appl. Cryst. 49, 1245 (2016).
    """
    count = len(patterns)
    chosen = np.unique(np.linspace(0, count - 1, min(count, _SAMPLE)).astype(int))
    total = np.zeros(mask.shape)
    for number in chosen:
        values = np.asarray(patterns[int(number)], dtype=np.float64)
        total += np.square(values) if domain == "amplitude" else values
    mean = np.where(mask, total, 0.0) / len(chosen)
    if not mask.all():
        nearest = distance_transform_edt(~mask, return_distances=False, return_indices=True)
        mean = mean[tuple(nearest)]
    far = np.fft.ifftshift(np.sqrt(mean))
    return np.fft.fftshift(np.fft.ifft2(far, norm="ortho")).astype(np.complex64)[None]
