"""The probe at its sub-pixel place, and the exit waves that it makes."""

import torch

from ptychopinn.axes import require_axes
from ptychopinn.physics.fourier import over_modes


def phase_ramps(
    fractions: torch.Tensor, n: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return exp(-2 pi i f nu) along rows and columns, zero frequency first.

    A spectrum times both is that of a wave that has moved by f. For even N the Nyquist frequency
    has no partner of opposite sign; taking the mean of both signs, cos(pi f), keeps a real image
    real and makes shift by -f the exact adjoint.

    Args:
        fractions: (..., 2) real, (y, x) in pixels.
        n: Side N of the waves.
        dtype: Of the waves.

    Returns:
        (..., N, 1) and (..., 1, N) complex.
    """
    real = torch.float64 if dtype == torch.complex128 else torch.float32
    nu = torch.fft.fftfreq(n, dtype=real, device=fractions.device)
    angle = -2 * torch.pi * fractions.to(real)[..., None] * nu
    ramp = torch.polar(torch.ones_like(angle), angle)
    if n % 2 == 0:
        ramp = ramp.clone()
        ramp[..., n // 2] = torch.cos(angle[..., n // 2]).to(ramp.dtype)
    return ramp[..., 0, :, None], ramp[..., 1, None, :]


def _phase_ramp_slopes(
    fractions: torch.Tensor, n: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the derivatives of `phase_ramps` with respect to f."""
    rows, columns = phase_ramps(fractions, n, dtype)
    nu = torch.fft.fftfreq(n, dtype=rows.real.dtype, device=fractions.device)
    along_y = -2j * torch.pi * nu[:, None] * rows
    along_x = -2j * torch.pi * nu[None, :] * columns
    if n % 2 == 0:
        slope = -torch.pi * torch.sin(torch.pi * fractions.to(nu.dtype))
        along_y[..., n // 2, 0] = slope[..., 0].to(along_y.dtype)
        along_x[..., 0, n // 2] = slope[..., 1].to(along_x.dtype)
    return along_y, along_x


def shift_waves(waves: torch.Tensor, fractions: torch.Tensor) -> torch.Tensor:
    """Move waves by a sub-pixel distance.

        shifted = F^-1[ F[wave] * exp(-2 pi i f . nu) ]

    Exact for a band-limited wave; +f moves content to higher row and column numbers. The adjoint
    is the shift by -f.

    Args:
        waves: (..., N, N) complex.
        fractions: (..., 2) real, (y, x) in pixels; leading axes broadcast against those of waves.
    """
    rows, columns = phase_ramps(fractions, waves.shape[-1], waves.dtype)
    return torch.fft.ifft2(torch.fft.fft2(waves) * rows * columns)


def probes_at(probe: torch.Tensor, fractions: torch.Tensor) -> torch.Tensor:
    """Give every pattern its own copy of the probe, moved by the fraction of its position.

    Args:
        probe: (P, N, N) complex. The mode axis must be there: an implicit broadcast over the
            batch would multiply the amplitude.
        fractions: (..., 2) real, (y, x) in px, in [0, 1) unless a training moved them.

    Returns:
        (..., P, N, N) complex.

    Raises:
        ShapeError: The probe is real or lacks its mode axis.
    """
    require_axes("probe", probe, "P N N", kind="complex")
    return shift_waves(probe, fractions[..., None, :])


def probe_slopes_at(probe: torch.Tensor, fractions: torch.Tensor) -> torch.Tensor:
    """Return how `probes_at` changes with the position: its exact derivative.

        dP/df = F^-1[ F[P] * d/df exp(-2 pi i f . nu) ]

    Args:
        probe: (P, N, N) complex.
        fractions: (..., 2) real, (y, x) in px.

    Returns:
        (..., 2, P, N, N) complex, per px.
    """
    n = require_axes("probe", probe, "P N N", kind="complex")["N"]
    rows, columns = phase_ramps(fractions, n, probe.dtype)
    along_y, along_x = _phase_ramp_slopes(fractions, n, probe.dtype)
    ramps = torch.stack([along_y * columns, rows * along_x], dim=-3)
    return torch.fft.ifft2(torch.fft.fft2(probe) * ramps[..., None, :, :])


def exit_waves(patches: torch.Tensor, probes: torch.Tensor) -> torch.Tensor:
    """Light object patches: psi[b, c, p] = probe[b, c, p] * patch[b, c].

    Args:
        patches: (B, C, N, N) complex object transmission.
        probes: (B|1, C|1, P, N, N) complex.

    Returns:
        (B, C, P, N, N) complex, sqrt(photons) per pixel.

    Raises:
        ShapeError: An input is real, N differs, or the mode axis is missing.
    """
    sizes = require_axes("patches", patches, "B C N N", kind="complex")
    require_axes("probes", probes, "B|1 C|1 P N N", kind="complex", **sizes)
    return patches[:, :, None] * probes


def back_project(waves: torch.Tensor, probes: torch.Tensor) -> torch.Tensor:
    """Apply the adjoint of `exit_waves`: patch[b, c] = sum_p conj(probe[b, c, p]) psi[b, c, p]."""
    sizes = require_axes("waves", waves, "B C P N N", kind="complex")
    require_axes("probes", probes, "B|1 C|1 P N N", kind="complex", **sizes)
    return over_modes(probes.conj() * waves)
