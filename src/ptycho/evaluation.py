"""Comparison with a truth under its original name."""

from typing import Any

import numpy as np

from ptychopinn.errors import ShapeError
from ptychopinn.evaluation import Comparison, compare, crossing, fourier_ring_correlation
from ptychopinn.evaluation.phase import comparable_phases

Pair = tuple[float, float]


def eval_reconstruction(stitched_obj: Any, ground_truth_obj: Any) -> dict[str, Pair]:
    """Compare an image with the true object.

    Both are cut to the size that they have in common, about their middles; shift, phase ramp and
    global factor, which no pattern can tell, are removed first (`ptychopinn.evaluation.align`).

    Args:
        stitched_obj: (H, W) complex; axes of length 1 are dropped.
        ground_truth_obj: (H, W) complex; axes of length 1 are dropped.

    Returns:
        Pairs (amplitude, phase) of ``mae``, ``mse``, ``psnr`` (dB, about the range of the truth),
        ``ssim``, ``ms_ssim`` and ``frc50`` (frequency in cycles per pixel at which the ring
        correlation falls below 1/2).

    Raises:
        ShapeError: Not two complex images, or less than 11 pixels along an axis.
    """
    images = [np.squeeze(np.asarray(image)) for image in (stitched_obj, ground_truth_obj)]
    if any(image.ndim != 2 for image in images):
        shapes = " and ".join(str(image.shape) for image in images)
        raise ShapeError(f"eval_reconstruction: found shapes {shapes}, wanted two images (H, W).")
    shape = tuple(np.minimum(images[0].shape, images[1].shape))
    comparison = compare(_middle(images[0], shape), _middle(images[1], shape))
    amplitude, phase = comparison.metrics.amplitude, comparison.metrics.phase
    pairs = {
        name: (getattr(amplitude, name), getattr(phase, name))
        for name in ("mae", "mse", "ssim", "ms_ssim")
    }
    return {**pairs, "psnr": (amplitude.psnr_db, phase.psnr_db), "frc50": _frc50(comparison)}


def _middle(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    starts = [(have - want) // 2 for have, want in zip(image.shape, shape, strict=True)]
    return image[tuple(slice(s, s + want) for s, want in zip(starts, shape, strict=True))]


def _frc50(comparison: Comparison) -> Pair:
    """Return where the ring correlations of amplitudes and of phases fall below 1/2."""
    image, reference, weight = comparison.image, comparison.reference, comparison.weight
    phases = comparable_phases(image, reference, weight)
    amplitude = fourier_ring_correlation(np.abs(image), np.abs(reference), weight)
    phase = fourier_ring_correlation(phases[0], phases[1], weight)
    return crossing(amplitude).cycles_per_px, crossing(phase).cycles_per_px
