"""The data step: waves that agree with the measurement, and what they ask of the object."""

import math
from typing import Any, NamedTuple, Self

import torch
from torch.autograd.function import once_differentiable

from ptychopinn.physics.fourier import intensity, over_modes
from ptychopinn.physics.probe import back_project, exit_waves

#: Keeps the division by the modelled amplitude finite; in photons per pixel.
MODULUS_FLOOR = 1e-6
#: The same where photons are weighed: fewer than these are none.
PHOTON_FLOOR = 1e-3


class ModulusStep(NamedTuple):
    """How far the modelled amplitude of a detector pixel moves towards the measured one.

        a' / a - 1 = c(r) = scale * sqrt(r + offset) - bound,   r = I / (lambda + floor)

    with lambda = a^2 the modelled photons. Every kind moves by the same near I = lambda:
    c(1) = 0 and c'(1) = 1/2.

    Source: proximal step of the Poisson likelihood: Thibault & Guizar-Sicairos, New J. Phys. 14,
    063004 (2012); Wen et al., Inverse Problems 28, 115010 (2012).
    """

    scale: float
    offset: float
    bound: float
    floor: float
    """Photons per pixel; keeps the quotient finite."""

    @classmethod
    def proximal(cls, trust: float) -> Self:
        """Return the step that weighs the likelihood of photons against the model.

            a' = argmin a'^2 - I log a'^2 + trust (a' - a)^2

        lengthened by 1 + trust / 2. Trust 0 is the projection onto the measured modulus, which
        believes a pixel without a photon to be dark; much trust is a step along the gradient of
        the Poisson likelihood, which knows that it may not be.
        """
        lengthened = (2 + trust) / 2
        share = trust / (2 * (1 + trust))
        return cls(
            scale=lengthened / math.sqrt(1 + trust),
            offset=share * trust / 2,
            bound=lengthened * (1 - share),
            floor=MODULUS_FLOOR if trust == 0 else PHOTON_FLOOR,
        )

    @classmethod
    def for_photons(cls, counts_per_pixel: float, model_error: float | None) -> Self:
        """Return the proximal step where photon noise and the error of the model balance.

            trust = 1 / (4 model_error^2 counts_per_pixel)

        1/4 is the variance of a measured amplitude in photons, model_error^2 lambda that of a
        modelled one. Where photons are few their noise decides, where they are many whatever the
        model leaves out.

        Args:
            counts_per_pixel: Mean of a pattern.
            model_error: Relative error of modelled amplitudes; None = infinite: the projection.
        """
        if model_error is None:
            return cls.proximal(0.0)
        return cls.proximal(1 / (4 * model_error**2 * max(counts_per_pixel, PHOTON_FLOOR)))


#: Every pixel takes the measured modulus.
PROJECTION = ModulusStep(1.0, 0.0, 1.0, MODULUS_FLOOR)


def modulus_residual(
    waves: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
    step: ModulusStep = PROJECTION,
) -> torch.Tensor:
    """Return how exit waves must change to agree with the measured modulus and keep their phase.

        psi'_p - psi_p = F^-1[ F(psi_p) c(I / (sum_p |F(psi_p)|^2 + eps)) ]

    with c of the `ModulusStep`; for the projection c(r) = sqrt(r) - 1, and psi' has the measured
    modulus. All modes share one factor; at bad pixels it is 1, so that they keep F(psi_p). Moduli
    do not see the origin of the sample plane, so plain FFTs with corner-centred detector arrays
    give the same as the centred transform.

    Args:
        waves: (B, C, P, N, N) complex.
        corner_amplitude: (B, C, N, N) real, sqrt(counts), zero frequency in the corner
            (`fourier.to_corner`).
        corner_mask: (N, N) 1 = good, in the same order; None = all are good.
        step: How far a pixel moves.

    Returns:
        (B, C, P, N, N) complex, without gradient.
    """
    spectrum = torch.fft.fft2(waves, norm="ortho")
    change, _ = _modulus_change(spectrum, corner_amplitude, corner_mask, step)
    # In place, as below: a sweep that allocates less runs a quarter faster.
    return torch.fft.ifft2(spectrum.mul_(change[:, :, None]), norm="ortho")


def _modulus_change(
    spectrum: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
    step: ModulusStep,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return c(I / (lambda + eps)), 0 at bad pixels, and 1 / sqrt(lambda + eps)."""
    inverse = (intensity(spectrum) + step.floor).rsqrt_()
    bound = torch.full((), -step.bound, dtype=inverse.dtype, device=inverse.device)
    if step.offset == 0:
        change = torch.addcmul(bound, corner_amplitude, inverse, value=step.scale)
    else:
        change = _root(corner_amplitude, inverse, step).mul_(step.scale).sub_(step.bound)
    return change if corner_mask is None else change * corner_mask, inverse


def _root(corner_amplitude: torch.Tensor, inverse: torch.Tensor, step: ModulusStep) -> torch.Tensor:
    """Return sqrt(r + offset)."""
    return (corner_amplitude * inverse).square_().add_(step.offset).sqrt_()


def _slope(
    corner_amplitude: torch.Tensor, inverse: torch.Tensor, step: ModulusStep
) -> torch.Tensor:
    """Return -2 dc / dlambda."""
    if step.offset == 0:
        return (corner_amplitude * inverse).mul_(inverse.square()).mul_(step.scale)
    quotient = inverse.square().mul_(corner_amplitude).square_()
    return quotient.mul_(step.scale).div_(_root(corner_amplitude, inverse, step))


def object_update(
    patches: torch.Tensor,
    probes: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
    step: ModulusStep = PROJECTION,
) -> torch.Tensor:
    """Return what each pattern asks of its object patch: sum_p conj(P_p) (psi'_p - psi_p).

    With the projection it is minus half the gradient of sum (sqrt(I) - sqrt(lambda))^2 with
    respect to the patch (the gradient as autograd gives it for complex numbers).

    Args:
        patches: (B, C, N, N) complex.
        probes: (B|1, C, P, N, N) complex.
        corner_amplitude: (B, C, N, N) real, see `modulus_residual`.
        corner_mask: (N, N) or None, see `modulus_residual`.
        step: How far a pixel moves.

    Returns:
        (B, C, N, N) complex; differentiable, once, with respect to patches and probes.
    """
    if torch.is_grad_enabled() and (patches.requires_grad or probes.requires_grad):
        return _ObjectUpdate.apply(patches, probes, corner_amplitude, corner_mask, step)
    residual = modulus_residual(exit_waves(patches, probes), corner_amplitude, corner_mask, step)
    return over_modes(residual.mul_(probes.conj()))


class _ObjectUpdate(torch.autograd.Function):
    """`object_update` with its gradient in closed form: a third of the passes of autograd.

    With s = F(P o) and m = sum_p |s_p|^2 + eps, a small change of the waves changes s c(I / m) by
    c ds + 2 s dc/dm Re(sum_p conj(s_p) ds_p). That map is its own adjoint.
    """

    @staticmethod
    def forward(
        ctx: Any,
        patches: torch.Tensor,
        probes: torch.Tensor,
        corner_amplitude: torch.Tensor,
        corner_mask: torch.Tensor | None,
        step: ModulusStep,
    ) -> torch.Tensor:
        spectrum = torch.fft.fft2(exit_waves(patches, probes), norm="ortho")
        change, inverse = _modulus_change(spectrum, corner_amplitude, corner_mask, step)
        residual = torch.fft.ifft2(spectrum * change[:, :, None], norm="ortho")
        slope = _slope(corner_amplitude, inverse, step)
        if corner_mask is not None:
            slope = slope * corner_mask
        for_probes = (patches, residual) if ctx.needs_input_grad[1] else ()
        ctx.save_for_backward(probes, spectrum, change, slope, *for_probes)
        return back_project(residual, probes)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, *gradients: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, None, None, None]:
        probes, spectrum, change, slope, *for_probes = ctx.saved_tensors
        (gradient,) = gradients
        pushed = torch.fft.fft2(exit_waves(gradient, probes), norm="ortho")
        along = over_modes((spectrum.conj() * pushed).real) * slope
        pushed = pushed * change[:, :, None] - spectrum * along[:, :, None]
        waves = torch.fft.ifft2(pushed, norm="ortho")
        for_patches = back_project(waves, probes)
        if not for_probes:
            return for_patches, None, None, None, None
        patches, residual = for_probes
        of_probes = patches.conj()[:, :, None] * waves + gradient.conj()[:, :, None] * residual
        return for_patches, of_probes.sum_to_size(probes.shape), None, None, None
