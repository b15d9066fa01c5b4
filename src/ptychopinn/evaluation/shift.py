"""Sub-pixel shifts of complex images: applying one, and finding one."""

import numpy as np
from scipy import fft, ndimage
from skimage.registration import phase_cross_correlation

from ptychopinn.evaluation.weighting import weighted_mean

#: Pixels over which an image runs out beyond its border before a Fourier shift.
MARGIN_PX = 32
#: The grid on which a shift is searched has this many points per pixel, at first and at last.
COARSE_POINTS_PER_PX = 10
POINTS_PER_PX = 100
#: Smoothing in pixels of what is correlated: structure finer than this is mostly noise.
SMOOTHING_PX = 1.0


def shift_image(image: np.ndarray, shift_px: tuple[float, float]) -> np.ndarray:
    """Move a complex image by a fraction of a pixel.

        moved(r) = image(r - shift),   moved = F^-1 [ F[image](q) * exp(-2 pi i q . shift) ]

    exact for a band-limited image. First the values at the border are continued outwards, on
    straight lines to their common mean, so that nothing jumps and what leaves on one side does not
    come back on the other. The outermost |shift| pixels, which move in, are thus invented.

    Args:
        image: (H, W) complex.
        shift_px: (y, x), positive towards larger indices.

    Returns:
        (H, W) complex128.
    """
    if not any(shift_px):
        return image.astype(np.complex128)
    field = image.astype(np.complex128)
    border = np.concatenate([field[0], field[-1], field[:, 0], field[:, -1]])
    wide = np.pad(field, MARGIN_PX, mode="linear_ramp", end_values=complex(border.mean()))
    moved = fft.ifft2(ndimage.fourier_shift(fft.fft2(wide), shift_px))
    return moved[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]


def estimate_shift(
    image: np.ndarray, reference: np.ndarray, window: np.ndarray
) -> tuple[float, float]:
    """Find the shift that lays a complex image on its reference, up to a global factor.

        shift = argmax_s | sum_q |B(q)|^2 R(q) conj(I(q)) exp(2 pi i q . s) |

    I and R are the spectra of window * (image - mean). The band B(q) = |q| exp(-2 (pi q sigma)^2)
    drops what tells nothing about position: the background and slow phase errors that dominate a
    reconstruction's spectrum, and the noise beyond the resolution. Being linear in the complex
    images it serves phase and amplitude objects alike. A phase ramp must have been removed.

    The window does not move with the image, which pulls the answer towards zero; applying the
    answer and asking again removes that pull.

    Args:
        image: (H, W) complex.
        reference: (H, W) complex.
        window: (H, W) real, falling smoothly to zero at its edges.

    Returns:
        (y, x) in pixels, to be applied with `shift_image`, on a grid of 1 / `POINTS_PER_PX`.

    Source: Guizar-Sicairos, Thurman & Fienup, Opt. Lett. 33, 156 (2008), through scikit-image.
    """
    band = _band(image.shape)
    spectra = [
        band * fft.fft2(window * (field - weighted_mean(field, window)))
        for field in (reference, image)
    ]
    return _correlate(spectra[0], spectra[1], POINTS_PER_PX)


def estimate_shift_without_phase(
    image: np.ndarray, reference: np.ndarray, window: np.ndarray
) -> tuple[float, float]:
    """Find the shift between two complex images that may differ by a phase ramp as well.

    Correlates s(r) = sqrt(|d image / dy|^2 + |d image / dx|^2) of slightly smoothed images. Edges
    in phase and in amplitude both show. A global phase leaves s unchanged, and a ramp of g rad/px
    changes it by at most g |image|: it may stay as long as the object itself is steeper. Good to a
    fraction of a pixel: a start for `estimate_shift`.

    Args and return value are those of `estimate_shift`, on a grid of 1 / `COARSE_POINTS_PER_PX`.
    """
    spectra = []
    for field in (reference, image):
        strength = _gradient_modulus(field)
        spectra.append(fft.fft2(window * (strength - weighted_mean(strength, window))))
    return _correlate(spectra[0], spectra[1], COARSE_POINTS_PER_PX)


def _band(shape: tuple[int, ...]) -> np.ndarray:
    fy, fx = np.meshgrid(*(fft.fftfreq(size) for size in shape), indexing="ij")
    squared = fy**2 + fx**2
    return np.sqrt(squared) * np.exp(-2 * (np.pi * SMOOTHING_PX) ** 2 * squared)


def _gradient_modulus(field: np.ndarray) -> np.ndarray:
    slopes = [ndimage.gaussian_filter(field, SMOOTHING_PX, order=o) for o in ((1, 0), (0, 1))]
    return np.hypot(np.abs(slopes[0]), np.abs(slopes[1]))


def _correlate(reference: np.ndarray, image: np.ndarray, points_per_px: int) -> tuple[float, float]:
    """Locate the correlation peak of two spectra; two empty ones are taken as aligned."""
    if not (reference.any() and image.any()):
        return 0.0, 0.0
    shift, _, _ = phase_cross_correlation(
        reference, image, space="fourier", normalization=None, upsample_factor=points_per_px
    )
    return float(shift[0]), float(shift[1])
