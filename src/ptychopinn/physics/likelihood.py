"""How badly predicted counts explain measured ones; bad pixels have weight 0 everywhere."""

from collections.abc import Callable

import torch

from ptychopinn.errors import ConfigError, did_you_mean

#: Smallest expected count that the logarithm sees, in photons per pixel.
RATE_FLOOR = 1e-3


def _masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Average over the good pixels of (..., N, N); the mask is a weight, so NaN must not enter."""
    weighted = torch.where(mask > 0, values, torch.zeros_like(values))
    share = mask.sum() * (values.numel() // mask.numel())
    return weighted.sum() / share


def poisson_excess(
    predicted: torch.Tensor, counts: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Return the Poisson negative log-likelihood above its least possible value, per pixel.

        mean over good pixels of  (lambda - I) - I * log(lambda / I),   lambda >= RATE_FLOOR

    The constant is chosen so that a perfect prediction gives 0; for a perfect model of noisy
    counts of more than a few photons the expectation is 1/2 a pixel, less in the dark. Twice this
    value is the deviance. The gradient is that of the likelihood itself.

    Args:
        predicted: (..., N, N) expected photons.
        counts: (..., N, N) measured photons.
        mask: (N, N), 1 = good pixel.

    Returns:
        Scalar, comparable between scans.
    """
    rate = predicted.clamp_min(RATE_FLOOR)
    return _masked_mean(rate - counts - torch.xlogy(counts, rate / counts.clamp_min(1e-12)), mask)


def _root(values: torch.Tensor) -> torch.Tensor:
    """Square root whose gradient stays finite at zero."""
    return torch.sqrt(values.clamp_min(1e-8))


def amplitude_mse(
    predicted: torch.Tensor, counts: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Return the mean over good pixels of (sqrt(lambda) - sqrt(I))^2; arguments as above."""
    return _masked_mean((_root(predicted) - counts.sqrt()).square(), mask)


def amplitude_mae(
    predicted: torch.Tensor, counts: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Return the mean over good pixels of |sqrt(lambda) - sqrt(I)|; arguments as above."""
    return _masked_mean((_root(predicted) - counts.sqrt()).abs(), mask)


Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]

LOSSES: dict[str, Loss] = {
    "poisson": poisson_excess,
    "amplitude_mse": amplitude_mse,
    "amplitude_mae": amplitude_mae,
}


def resolve_loss(name: str) -> Loss:
    """Return the loss of that name.

    Raises:
        ConfigError: No such loss; the nearest name is given.
    """
    if name not in LOSSES:
        raise ConfigError(f"training.loss: '{name}' is unknown; {did_you_mean(name, LOSSES)}")
    return LOSSES[name]
