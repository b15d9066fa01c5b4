"""The forward model: from object patches to expected photon counts."""

import torch

from ptychopinn.physics.canvas import extract_patches
from ptychopinn.physics.fourier import intensity, to_middle
from ptychopinn.physics.probe import exit_waves, probes_at
from ptychopinn.scan import PatternBatch


def diffract(patches: torch.Tensor, probes: torch.Tensor) -> torch.Tensor:
    """Return the expected photon counts of object patches lit by a partly coherent probe.

        I[b, c] = sum_p | F(probe[b, c, p] * patch[b, c]) |**2

    F is centred and orthonormal, so photons are kept: I summed over the detector is the energy
    of the exit waves. Modes p add as intensities.

    Args:
        patches: (B, C, N, N) complex object transmission, no unit.
        probes: (B|1, C|1, P, N, N) complex incident waves, sqrt(photons) per pixel.

    Returns:
        (B, C, N, N) real, photons per detector pixel, without noise or background.

    Raises:
        ShapeError: N differs, an input is real, or the mode axis P is missing.

    Cannot see a global phase of `patches`, nor the trade (q * patch, probe / q).
    Source: Thibault & Menzel, Nature 494, 68 (2013) for the mode sum.
    """
    return to_middle(diffract_in_corner(patches, probes))


def diffract_in_corner(patches: torch.Tensor, probes: torch.Tensor) -> torch.Tensor:
    """Do the work of `diffract` with the zero frequency in the corner, which costs no shift."""
    return intensity(torch.fft.fft2(exit_waves(patches, probes), norm="ortho"))


def predict_counts(canvas: torch.Tensor, batch: PatternBatch) -> torch.Tensor:
    """Return the counts that canvases predict for the patterns of a batch.

        I_k = sum_p | F( shift(P_p, f_k) * O[window k] ) |**2

    Args:
        canvas: (B, H, W) complex object.
        batch: Positions and probe; its counts are not read.

    Returns:
        (B, C, N, N) real photons.
    """
    n = batch.probe.shape[-1]
    patches = extract_patches(canvas, batch.corners, n)
    return diffract(patches, probes_at(batch.probe, batch.fractions))
