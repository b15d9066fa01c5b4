"""Penalties on an object that use no data."""

import torch

from ptychopinn.physics.fourier import squared_modulus


def total_variation(canvas: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean modulus of the forward differences (isotropic, complex).

        mean of sqrt(|O[y+1, x] - O[y, x]|^2 + |O[y, x+1] - O[y, x]|^2)

    Args:
        canvas: (B, H, W) complex.
        weight: (B|1, H, W) real, where the object is known (coverage).
    """
    down = squared_modulus(canvas[:, 1:, :-1] - canvas[:, :-1, :-1])
    right = squared_modulus(canvas[:, :-1, 1:] - canvas[:, :-1, :-1])
    inner = weight[:, :-1, :-1].expand(canvas.shape[0], -1, -1)
    return (inner * torch.sqrt(down + right + 1e-12)).sum() / inner.sum().clamp_min(1e-12)


def mean_deviation(canvas: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean of |O - mean(O)|, which pulls an object towards a flat one.

    Args:
        canvas: (B, H, W) complex.
        weight: (B|1, H, W) real, where the object is known (coverage).
    """
    share = weight.expand(canvas.shape[0], -1, -1)
    total = share.sum(dim=(-2, -1), keepdim=True).clamp_min(1e-12)
    mean = (share * canvas).sum(dim=(-2, -1), keepdim=True) / total
    deviation = torch.sqrt(squared_modulus(canvas - mean) + 1e-12)
    return ((share * deviation).sum(dim=(-2, -1), keepdim=True) / total).mean()
