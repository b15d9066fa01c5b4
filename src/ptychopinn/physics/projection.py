"""The data step: waves that agree with the measurement, and what they ask of the object."""

import torch

from ptychopinn.physics.fourier import squared_modulus
from ptychopinn.physics.probe import back_project, exit_waves

#: Keeps the division by the modelled amplitude finite; in photons per pixel.
MODULUS_FLOOR = 1e-6


def impose_modulus(
    waves: torch.Tensor, corner_amplitude: torch.Tensor, corner_mask: torch.Tensor | None
) -> torch.Tensor:
    """Give exit waves the measured modulus, keep their phase; all modes share one factor.

        psi'_p = F^-1[ F(psi_p) * sqrt(I) / sqrt(sum_p |F(psi_p)|^2 + eps) ]

    Bad pixels keep F(psi_p). Moduli do not see the origin of the sample plane, so plain FFTs with
    corner-centred detector arrays give the same as the centred transform.

    Args:
        waves: (B, C, P, N, N) complex.
        corner_amplitude: (B, C, N, N) real, sqrt(counts), zero frequency in the corner
            (`fourier.to_corner`).
        corner_mask: (N, N) 1 = good, in the same order; None = all are good.

    Returns:
        (B, C, P, N, N) complex.
    """
    spectrum = torch.fft.fft2(waves, norm="ortho")
    modelled = squared_modulus(spectrum).sum(dim=2)
    factor = corner_amplitude * torch.rsqrt(modelled + MODULUS_FLOOR)
    if corner_mask is not None:
        factor = torch.where(corner_mask > 0, factor, torch.ones_like(factor))
    return torch.fft.ifft2(spectrum * factor[:, :, None], norm="ortho")


def object_update(
    patches: torch.Tensor,
    probes: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
) -> torch.Tensor:
    """Return what each pattern asks of its object patch: sum_p conj(P_p) (psi'_p - psi_p).

    It is minus half the gradient of sum (sqrt(I) - sqrt(lambda))^2 with respect to the patch.

    Args:
        patches: (B, C, N, N) complex.
        probes: (B|1, C, P, N, N) complex.
        corner_amplitude: (B, C, N, N) real, see `impose_modulus`.
        corner_mask: (N, N) or None, see `impose_modulus`.

    Returns:
        (B, C, N, N) complex.
    """
    waves = exit_waves(patches, probes)
    return back_project(impose_modulus(waves, corner_amplitude, corner_mask) - waves, probes)
