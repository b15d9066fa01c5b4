"""The centred, orthonormal Fourier transform between sample and detector."""

import torch

_AXES = (-2, -1)


def fourier(wave: torch.Tensor) -> torch.Tensor:
    """Propagate exit waves to the detector.

        F(psi)[q] = 1/N * sum_r psi[r] * exp(-2 pi i (q - c)(r - c) / N),   c = N // 2

    The origin is index N // 2 on both sides and photons are conserved: sum|F psi|^2 = sum|psi|^2.

    Args:
        wave: (..., N, N) complex.

    Returns:
        (..., N, N) complex, zero frequency at (N // 2, N // 2).
    """
    spectrum = torch.fft.fft2(torch.fft.ifftshift(wave, dim=_AXES), norm="ortho")
    return torch.fft.fftshift(spectrum, dim=_AXES)


def inverse_fourier(spectrum: torch.Tensor) -> torch.Tensor:
    """Undo `fourier`; being unitary, it is also its adjoint. (..., N, N) complex to the same."""
    wave = torch.fft.ifft2(torch.fft.ifftshift(spectrum, dim=_AXES), norm="ortho")
    return torch.fft.fftshift(wave, dim=_AXES)


def to_corner(image: torch.Tensor) -> torch.Tensor:
    """Move the zero frequency of (..., N, N) detector images from the middle to the corner.

    Moduli do not depend on where the origin of the sample plane lies, so loops that only compare
    moduli work with plain FFTs on corner-centred data and save four copies a step.
    """
    return torch.fft.ifftshift(image, dim=_AXES)


def to_middle(image: torch.Tensor) -> torch.Tensor:
    """Undo `to_corner`: the zero frequency of (..., N, N) images goes to (N // 2, N // 2)."""
    return torch.fft.fftshift(image, dim=_AXES)


def intensity(waves: torch.Tensor) -> torch.Tensor:
    """Return sum_p |psi_p|^2 of mutually incoherent (..., P, N, N) waves: (..., N, N) real."""
    return over_modes(squared_modulus(waves))


def over_modes(values: torch.Tensor) -> torch.Tensor:
    """Sum (..., P, N, N) over the modes P; one mode, which is the usual case, needs no copy."""
    return values[..., 0, :, :] if values.shape[-3] == 1 else values.sum(dim=-3)


def squared_modulus(wave: torch.Tensor) -> torch.Tensor:
    """Return |wave|^2 of a complex tensor, an order faster than ``abs() ** 2`` on a CPU."""
    return (wave * wave.conj()).real
