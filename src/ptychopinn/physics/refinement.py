"""What patterns say about the probe and about where it stood: updates, modes, position steps."""

import torch

from ptychopinn.axes import require_axes
from ptychopinn.physics.fourier import fourier, intensity, squared_modulus
from ptychopinn.physics.linearised import LikelihoodEquations, likelihood_equations
from ptychopinn.physics.probe import phase_ramps, probe_slopes_at, probes_at, shift_waves


def probe_update(
    patches: torch.Tensor, residual: torch.Tensor, fractions: torch.Tensor
) -> torch.Tensor:
    """Return what patterns together ask of the probe modes.

        update_p = sum_k shift( conj(O_k) (psi'_kp - psi_kp), -f_k )

    The shift back is the adjoint of the one that put the probe at its sub-pixel place, so that
    this is minus half the gradient of sum_k sum (sqrt(I) - sqrt(lambda))^2 with respect to the
    modes (as autograd gives it for complex numbers).

    Args:
        patches: (B, C, N, N) complex object.
        residual: (B, C, P, N, N) complex, `projection.modulus_residual`.
        fractions: (B, C, 2) real, in [0, 1) px.

    Returns:
        (P, N, N) complex.
    """
    sizes = require_axes("patches", patches, "B C N N", kind="complex")
    require_axes("residual", residual, "B C P N N", kind="complex", **sizes)
    asked = patches.conj()[:, :, None] * residual
    rows, columns = phase_ramps(-fractions[:, :, None], sizes["N"], residual.dtype)
    # Summed before the way back, which is then one FFT a mode and not one a pattern.
    shifted = torch.fft.fft2(asked).mul_(rows).mul_(columns).sum(dim=(0, 1))
    return torch.fft.ifft2(shifted)


def position_equations(
    patches: torch.Tensor,
    probes: torch.Tensor,
    slopes: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
) -> LikelihoodEquations:
    """Linearise the misfit of every pattern in its position, in px.

        ds_p/dr_d = F(O dP_p/dr_d)

    Only the motion of the probe against the object counts: over an even object the normal matrix
    is zero, which the motion of the wave alone would not tell.

    Args:
        patches: (B, C, N, N) complex object.
        probes: (B, C, P, N, N) complex, at their sub-pixel places.
        slopes: (B, C, 2, P, N, N) complex, `probe.probe_slopes_at`.
        corner_amplitude: (B, C, N, N) real sqrt(counts), zero frequency in the corner.
        corner_mask: (N, N) 1 = good, in the same order; None = all are good.

    Source: Guizar-Sicairos & Fienup, Opt. Express 16, 7264 (2008) for the gradient.
    """
    spectrum = torch.fft.fft2(patches[:, :, None] * probes, norm="ortho")
    moved = torch.fft.fft2(patches[:, :, None, None] * slopes, norm="ortho")
    return likelihood_equations(spectrum, moved, corner_amplitude, corner_mask)


def stretch_equations(
    patches: torch.Tensor,
    object_slopes: torch.Tensor,
    probe: torch.Tensor,
    fractions: torch.Tensor,
    corner_amplitude: torch.Tensor,
    corner_mask: torch.Tensor | None,
) -> LikelihoodEquations:
    """Linearise the misfit of every pattern in a stretch E of the object under its probe.

        O(c + rho) -> O(c + rho + E rho),   ds_p/dE_ij = F(P_p rho_j dO/dr_i)

    with c the centre of the light, and in its position, as `position_equations` does: an object
    that is stretched about another point than c has also moved.

    Args:
        patches: (B, C, N, N) complex object.
        object_slopes: (B, C, 2, N, N) complex, its derivatives along y and x, per px.
        probe: (P, N, N) complex.
        fractions: (B, C, 2) real, in [0, 1) px.
        corner_amplitude: (B, C, N, N) real sqrt(counts), zero frequency in the corner.
        corner_mask: (N, N) 1 = good, in the same order; None = all are good.

    Returns:
        D = 6 numbers a pattern: E_yy, E_yx, E_xy, E_xx, then the position along y and x, in px.
    """
    sizes = require_axes("patches", patches, "B C N N", kind="complex")
    require_axes("object_slopes", object_slopes, "B C 2 N N", kind="complex", **sizes)
    centre = centre_of_mass(probe)
    axis = torch.arange(sizes["N"], dtype=centre.dtype, device=probe.device)
    along_y, along_x = (axis - centre[0])[:, None], (axis - centre[1])[None, :]
    pulled = [slope * arm for slope in object_slopes.unbind(2) for arm in (along_y, along_x)]
    probes, probe_slopes = probes_at(probe, fractions), probe_slopes_at(probe, fractions)
    moved = torch.cat(
        [
            torch.stack(pulled, dim=2)[:, :, :, None] * probes[:, :, None],
            patches[:, :, None, None] * probe_slopes,
        ],
        dim=2,
    )
    spectrum = torch.fft.fft2(patches[:, :, None] * probes, norm="ortho")
    moved = torch.fft.fft2(moved, norm="ortho")
    return likelihood_equations(spectrum, moved, corner_amplitude, corner_mask)


def orthogonal_modes(probe: torch.Tensor) -> torch.Tensor:
    """Turn incoherent modes into orthogonal ones, the strongest first.

        P' = U P,   U from  A = P P^H = U^H diag(power) U

    U is unitary, so that the density matrix sum_p P_p(r) conj(P_p(r')), and with it every
    pattern, stays as it is. A single mode is returned as it is.

    Args:
        probe: (P, N, N) complex.

    Source: Thibault & Menzel, Nature 494, 68 (2013).
    """
    sizes = require_axes("probe", probe, "P N N", kind="complex")
    if sizes["P"] == 1:
        return probe
    columns = probe.flatten(1).to(torch.complex128)
    _, vectors = torch.linalg.eigh(columns @ columns.mH)
    mixing = vectors.mH.flip(0)
    # An eigenvector has any phase; let each mode keep that of what it is mostly made of.
    largest = mixing.gather(1, mixing.abs().argmax(dim=1, keepdim=True))
    mixing = mixing * (largest.conj() / largest.abs())
    return (mixing @ columns).reshape(probe.shape).to(probe.dtype)


def recentred(probe: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Shift a probe and turn its phase by a ramp, to the centres of mass of another one.

    Both the centre of sum_p |P_p|^2 and that of sum_p |F P_p|^2 are brought back. With the same
    shift and the opposite ramp of the object neither changes any pattern.

    Args:
        probe: (P, N, N) complex.
        like: (P', N, N) complex.
    """
    n = require_axes("probe", probe, "P N N", kind="complex")["N"]
    require_axes("like", like, "P N N", kind="complex", N=n)
    back = centre_of_mass(fourier(like)) - centre_of_mass(fourier(probe))
    axis = torch.arange(n, dtype=probe.real.dtype, device=probe.device) - n // 2
    angle = 2 * torch.pi / n * (back[0] * axis[:, None] + back[1] * axis[None, :])
    turned = probe * torch.polar(torch.ones_like(angle), angle)
    return shift_waves(turned, centre_of_mass(like) - centre_of_mass(turned))


def centre_of_mass(waves: torch.Tensor) -> torch.Tensor:
    """Return (2,) the centre (y, x) of sum_p |wave_p|^2 of (P, N, N) waves, in pixels."""
    light = intensity(waves)
    axis = torch.arange(waves.shape[-1], dtype=light.dtype, device=light.device)
    return torch.stack([light.sum(1) @ axis, light.sum(0) @ axis]) / light.sum()


def with_more_modes(probe: torch.Tensor, count: int, share: float) -> torch.Tensor:
    """Add weak modes to a probe, without changing its power.

    The new ones are the first mode times y, x, y^2, xy, x^2, ... around its centre of mass, as
    a source that is not a point, or a beam that trembles, makes them; made orthogonal to all
    earlier modes, each with the same share of the power.

    Args:
        probe: (P, N, N) complex.
        count: Modes wanted, at least P.
        share: Power of each new mode, as a share of the whole.

    Returns:
        (count, N, N) complex.
    """
    sizes = require_axes("probe", probe, "P N N", kind="complex")
    held, n = sizes["P"], sizes["N"]
    if count <= held:
        return probe
    power = squared_modulus(probe).sum()
    lobes = _lobes(probe[0].to(torch.complex128), count - held)
    columns = torch.cat([probe.to(torch.complex128), lobes]).flatten(1).T
    scaled = columns / torch.linalg.vector_norm(columns, dim=0).clamp_min(1e-300)
    basis = torch.linalg.qr(scaled).Q.T.reshape(count, n, n)[held:]
    kept = probe * (1 - share * (count - held)) ** 0.5
    return torch.cat([kept, (basis * (share * power) ** 0.5).to(probe.dtype)])


def _lobes(first: torch.Tensor, count: int) -> torch.Tensor:
    """Return (count, N, N): a wave times the monomials of order 1, 2, ... in its own radius."""
    n = first.shape[-1]
    light = squared_modulus(first)
    axis = torch.arange(n, dtype=light.dtype, device=first.device)
    middle = centre_of_mass(first[None])
    y, x = axis[:, None] - middle[0], axis[None, :] - middle[1]
    radius = ((light * (y**2 + x**2)).sum() / light.sum()).sqrt().clamp_min(1)
    orders = [(t - j, j) for t in range(1, count + 1) for j in range(t + 1)][:count]
    return torch.stack([first * (y / radius) ** i * (x / radius) ** j for i, j in orders])
