"""The linear phase ramp between two complex images: making one, and finding one."""

import numpy as np
from scipy import fft

#: Steps of the refinement at most; a handful do, unless phase errors are of the order of pi.
_MOST_STEPS = 50
#: Refinement stops once a step changes no phase in the image by more than this, in radians.
_SMALLEST_STEP_RAD = 1e-7


def phase_ramp(shape: tuple[int, int], ramp_rad_per_px: tuple[float, float]) -> np.ndarray:
    """Return exp(i g . (r - r0)) with r0 = ((H - 1) / 2, (W - 1) / 2), the middle of the image.

    Args:
        shape: (H, W).
        ramp_rad_per_px: g = (y, x).

    Returns:
        (H, W) complex128 of modulus 1; its phase is 0 in the middle.
    """
    y, x = _centred(shape)
    return np.exp(1j * ramp_rad_per_px[0] * y) * np.exp(1j * ramp_rad_per_px[1] * x)


def estimate_ramp(
    image: np.ndarray, reference: np.ndarray, weight: np.ndarray
) -> tuple[float, float]:
    """Find the phase ramp that an image carries relative to its reference.

        g = argmin_{g, c} sum_r |p(r)| * | exp(i arg p(r)) - exp(i (c + g . r)) |^2,
        p = weight * conj(reference) * image

    This is least squares on the unit circle, so phases that wrap do no harm. The start is the peak
    of the Fourier transform of p, padded to twice its size: a ramp of n cycles across the image is
    a peak in bin n. From there each step solves the linear least-squares problem for
    sin(phase error). As cos(t) >= cos(t0) - sin(t0) (t - t0) - (t - t0)^2 / 2, no step makes the
    sum larger. Phase errors near pi (vortices, dead pixels) hardly pull.

    Args:
        image: (H, W) complex, registered.
        reference: (H, W) complex.
        weight: (H, W) real, >= 0.

    Returns:
        g = (y, x) in rad/px, each within [-pi, pi]; (0, 0) where p vanishes.
    """
    product = weight * np.conj(reference) * image
    modulus = np.abs(product)
    if not modulus.any():
        return 0.0, 0.0
    y, x = _centred(product.shape)
    design = np.stack([np.ones(product.size), *(a.ravel() for a in np.broadcast_arrays(y, x))])
    inverse = np.linalg.pinv((design * modulus.ravel()) @ design.T, hermitian=True)
    reach = np.array([1.0, *product.shape])
    start = _coarse_ramp(product)
    flat = product * np.conj(phase_ramp(product.shape, start))
    found = np.array([np.angle(flat.sum()), *start])
    for _ in range(_MOST_STEPS):
        flat = product * np.conj(phase_ramp(product.shape, (found[1], found[2])))
        flat *= np.exp(-1j * found[0])
        step = inverse @ (design @ flat.imag.ravel())
        found += step
        if np.max(np.abs(step) * reach) < _SMALLEST_STEP_RAD:
            break
    return float(found[1]), float(found[2])


def _centred(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return y (H, 1) and x (1, W) in pixels from the middle of the image."""
    y, x = (np.arange(size) - (size - 1) / 2 for size in shape)
    return y[:, None], x[None, :]


def _coarse_ramp(product: np.ndarray) -> tuple[float, float]:
    sizes = [fft.next_fast_len(2 * size) for size in product.shape]
    spectrum = np.abs(fft.fft2(product, s=sizes))
    peak = np.unravel_index(np.argmax(spectrum), spectrum.shape)
    y, x = (2 * np.pi * fft.fftfreq(n)[k] for n, k in zip(sizes, peak, strict=True))
    return float(y), float(x)
