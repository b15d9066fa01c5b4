"""The likelihood of each pattern as a parabola of a few numbers of its own: Fisher scoring."""

from typing import NamedTuple

import numpy as np
import torch

from ptychopinn.axes import require_axes
from ptychopinn.physics.fourier import intensity

#: Photons a pixel that are expected where a model expects none, so that a single one of those
#: does not outweigh all others: 0.01 leaves twice the error of positions at 1e3 photons a pattern.
DARK = 0.1
#: Smallest expected counts that anything is divided by.
RATE_FLOOR = 1e-10


class LikelihoodEquations(NamedTuple):
    """The misfit of each pattern in D numbers x of its own, near where they are 0.

    misfit_k(d) = misfit_k - 2 gradient_k . d + d . normal_k . d
    """

    gradient: torch.Tensor
    """(B, C, D) the score: the gradient of the logarithm of the Poisson likelihood."""
    normal: torch.Tensor
    """(B, C, D, D) the Fisher information."""
    misfit: torch.Tensor
    """(B, C) Pearson's sum of (I - lambda)^2 / (lambda + 0.1) over the good pixels."""


class PatternEquations(NamedTuple):
    """The same of the K patterns of a scan, 0 for those that were not asked."""

    gradient: np.ndarray
    """(K, D) float64."""
    normal: np.ndarray
    """(K, D, D) float64."""
    misfit: np.ndarray
    """(K,) float64."""

    @classmethod
    def none_asked(cls, patterns: int, unknowns: int) -> "PatternEquations":
        """Return K = patterns rows of zeros for D = unknowns."""
        shapes = (patterns, unknowns), (patterns, unknowns, unknowns), (patterns,)
        return cls(*(np.zeros(shape) for shape in shapes))

    def fill(self, members: np.ndarray, found: LikelihoodEquations) -> None:
        """Write the answers of the one group of a batch to the rows of its patterns."""
        for rows, answers in zip(self, found, strict=True):
            rows[members] = answers[0].cpu().numpy()

    def asked(self) -> np.ndarray:
        """Return the numbers of the patterns that answered."""
        return np.flatnonzero(self.normal.any(axis=(1, 2)))


def likelihood_equations(
    spectrum: torch.Tensor,
    moved: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
) -> LikelihoodEquations:
    """Linearise the Poisson likelihood of every pattern, lambda = sum_p |s_p|^2.

        J_d = dlambda/dx_d / sqrt(lambda) = 2 Re sum_p conj(s_p) ds_p/dx_d / sqrt(lambda)
        gradient = J^T (I - lambda) / sqrt(lambda + 0.1),   normal = J^T J

    The expected gradient is zero at the truth whatever the dose. That of amplitudes, sqrt(I) -
    sqrt(lambda), is not: it expects a photon more often in the dark than it comes, which shrinks
    a scan of 1e4 photons a pattern by percents.

    Args:
        spectrum: (B, C, P, N, N) complex waves on the detector, zero frequency in the corner.
        moved: (B, C, D, P, N, N) complex, their derivatives ds/dx.
        corner_amplitude: (B, C, N, N) real sqrt(counts), in the same order.
        corner_mask: (N, N) 1 = good, in the same order; None = all are good.
    """
    rate = intensity(spectrum) + RATE_FLOOR
    counts = corner_amplitude.square()
    jacobian = 2 * (spectrum.conj()[:, :, None] * moved).real.sum(dim=3)
    jacobian = jacobian * rate.rsqrt()[:, :, None]
    misfit = (counts - rate) * (rate + DARK).rsqrt()
    if corner_mask is not None:
        jacobian, misfit = jacobian * corner_mask, misfit * corner_mask
    gradient = (jacobian * misfit[:, :, None]).sum(dim=(-2, -1))
    normal = torch.einsum("bciyx,bcjyx->bcij", jacobian, jacobian)
    return LikelihoodEquations(gradient, normal, misfit.square().sum(dim=(-2, -1)))


def slope_equations(
    patches: torch.Tensor,
    probes: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
) -> LikelihoodEquations:
    """Linearise the misfit of every pattern in a slope g of the object's phase under its probe.

        psi_p -> psi_p exp(i g . (r - c)),   c = N // 2

    which moves the pattern as a whole; g = (g_y, g_x) in rad per px.

    Args:
        patches: (B, C, N, N) complex object.
        probes: (B, C, P, N, N) complex.
        corner_amplitude: As for `likelihood_equations`.
        corner_mask: As there.
    """
    n = require_axes("patches", patches, "B C N N", kind="complex")["N"]
    waves = patches[:, :, None] * probes
    axis = 1j * (torch.arange(n, device=patches.device) - n // 2).to(patches.dtype)
    tilted = torch.stack([waves * axis[:, None], waves * axis], dim=2)
    spectrum, moved = (torch.fft.fft2(x, norm="ortho") for x in (waves, tilted))
    return likelihood_equations(spectrum, moved, corner_amplitude, corner_mask)
