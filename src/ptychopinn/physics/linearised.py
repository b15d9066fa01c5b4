"""The amplitude misfit of each pattern as a parabola of a few numbers of its own: Gauss-Newton."""

from typing import NamedTuple

import torch

from ptychopinn.axes import require_axes
from ptychopinn.physics.fourier import intensity
from ptychopinn.physics.projection import MODULUS_FLOOR


class AmplitudeEquations(NamedTuple):
    """The linearised amplitude misfit of each pattern in D numbers x of its own.

    misfit_k(x + d) = misfit_k - 2 gradient_k . d + d . normal_k . d
    """

    gradient: torch.Tensor
    """(B, C, D) minus half the gradient of the misfit."""
    normal: torch.Tensor
    """(B, C, D, D) Gauss-Newton matrix."""


def amplitude_equations(
    spectrum: torch.Tensor,
    moved: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
) -> AmplitudeEquations:
    """Linearise sum (sqrt(I) - sqrt(lambda))^2, lambda = sum_p |s_p|^2, of every pattern.

        J_d = Re sum_p conj(s_p) ds_p/dx_d / sqrt(lambda)
        gradient = J^T (sqrt(I) - sqrt(lambda)),   normal = J^T J

    Args:
        spectrum: (B, C, P, N, N) complex waves on the detector, zero frequency in the corner.
        moved: (B, C, D, P, N, N) complex, their derivatives ds/dx.
        corner_amplitude: (B, C, N, N) real sqrt(counts), in the same order.
        corner_mask: (N, N) 1 = good, in the same order; None = all are good.
    """
    modelled = (intensity(spectrum) + MODULUS_FLOOR).sqrt()
    jacobian = (spectrum.conj()[:, :, None] * moved).real.sum(dim=3) / modelled[:, :, None]
    if corner_mask is not None:
        jacobian = jacobian * corner_mask
    misfit = corner_amplitude - modelled
    gradient = (jacobian * misfit[:, :, None]).sum(dim=(-2, -1))
    normal = torch.einsum("bciyx,bcjyx->bcij", jacobian, jacobian)
    return AmplitudeEquations(gradient, normal)


def slope_equations(
    patches: torch.Tensor,
    probes: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
) -> AmplitudeEquations:
    """Linearise the misfit of every pattern in a slope g of the object's phase under its probe.

        psi_p -> psi_p exp(i g . (r - c)),   c = N // 2

    which moves the pattern as a whole; g = (g_y, g_x) in rad per px.

    Args:
        patches: (B, C, N, N) complex object.
        probes: (B, C, P, N, N) complex.
        corner_amplitude: As for `amplitude_equations`.
        corner_mask: As there.
    """
    n = require_axes("patches", patches, "B C N N", kind="complex")["N"]
    waves = patches[:, :, None] * probes
    axis = 1j * (torch.arange(n, device=patches.device) - n // 2).to(patches.dtype)
    tilted = torch.stack([waves * axis[:, None], waves * axis], dim=2)
    spectrum, moved = (torch.fft.fft2(x, norm="ortho") for x in (waves, tilted))
    return amplitude_equations(spectrum, moved, corner_amplitude, corner_mask)
