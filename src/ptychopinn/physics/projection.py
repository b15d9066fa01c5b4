"""The data step: waves that agree with the measurement, and what they ask of the object."""

import torch

from ptychopinn.physics.fourier import intensity
from ptychopinn.physics.probe import back_project, exit_waves

#: Keeps the division by the modelled amplitude finite; in photons per pixel.
MODULUS_FLOOR = 1e-6


def modulus_residual(
    waves: torch.Tensor, corner_amplitude: torch.Tensor, corner_mask: torch.Tensor | None
) -> torch.Tensor:
    """Return how exit waves must change to have the measured modulus and their own phase.

        psi'_p - psi_p = F^-1[ F(psi_p) * ( sqrt(I) / sqrt(sum_p |F(psi_p)|^2 + eps) - 1 ) ]

    All modes share one factor; at bad pixels it is 1, so that they keep F(psi_p). Moduli do not
    see the origin of the sample plane, so plain FFTs with corner-centred detector arrays give the
    same as the centred transform.

    Args:
        waves: (B, C, P, N, N) complex.
        corner_amplitude: (B, C, N, N) real, sqrt(counts), zero frequency in the corner
            (`fourier.to_corner`).
        corner_mask: (N, N) 1 = good, in the same order; None = all are good.

    Returns:
        (B, C, P, N, N) complex.
    """
    spectrum = torch.fft.fft2(waves, norm="ortho")
    modelled = intensity(spectrum)
    minus_one = torch.full((), -1.0, dtype=modelled.dtype, device=modelled.device)
    change = torch.addcmul(minus_one, corner_amplitude, torch.rsqrt(modelled + MODULUS_FLOOR))
    if corner_mask is not None:
        change = change * corner_mask
    return torch.fft.ifft2(spectrum * change[:, :, None], norm="ortho")


def object_update(
    patches: torch.Tensor,
    probes: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
) -> torch.Tensor:
    """Return what each pattern asks of its object patch: sum_p conj(P_p) (psi'_p - psi_p).

    It is minus half the gradient of sum (sqrt(I) - sqrt(lambda))^2 with respect to the patch
    (the gradient as autograd gives it for complex numbers).

    Args:
        patches: (B, C, N, N) complex.
        probes: (B|1, C, P, N, N) complex.
        corner_amplitude: (B, C, N, N) real, see `modulus_residual`.
        corner_mask: (N, N) or None, see `modulus_residual`.

    Returns:
        (B, C, N, N) complex.
    """
    waves = exit_waves(patches, probes)
    return back_project(modulus_residual(waves, corner_amplitude, corner_mask), probes)
