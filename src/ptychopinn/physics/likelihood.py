"""How badly predicted counts explain measured ones; bad pixels have weight 0 everywhere."""

import functools
import math
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


def poisson_deviance(predicted: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Return the Poisson deviance of every pixel, twice the excess that `poisson_excess` averages.

        2 ((lambda - I) - I log(lambda / I)),   lambda >= RATE_FLOOR

    Args:
        predicted: Expected photons, any shape.
        counts: Measured photons, the same shape.
    """
    rate = predicted.clamp_min(RATE_FLOOR)
    # Without counts the logarithm is finite, and times 0. `xlogy`, made for it, takes far longer.
    return 2 * (rate - counts - counts * torch.log(rate / counts.clamp_min(1e-12)))


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
    return _masked_mean(poisson_deviance(predicted, counts) / 2, mask)


#: Rates between which the expected deviance is tabulated, and points of the table.
_TABLE = (1e-8, 1e3, 1024)
#: Counts above this have no weight in the table.
_MOST_COUNTS = 1500


@functools.cache
def _deviance_table() -> torch.Tensor:
    """Return the expected deviance at rates that are evenly spread on a logarithmic scale."""
    low, high, points = _TABLE
    rate = torch.logspace(math.log10(low), math.log10(high), points, dtype=torch.float64)[:, None]
    seen = torch.arange(_MOST_COUNTS, dtype=torch.float64)
    chance = torch.exp(torch.xlogy(seen, rate) - rate - torch.lgamma(seen + 1))
    floored = rate.clamp_min(RATE_FLOOR)
    deviance = 2 * (floored - seen + torch.xlogy(seen, seen / floored))
    return (chance * deviance).sum(dim=1).float()


def expected_deviance(rate: torch.Tensor) -> torch.Tensor:
    """Return the Poisson deviance that photon noise alone leaves in a pixel, twice the excess.

        E_I[ 2 ((lambda - I) - I log(lambda / I)) ],   I ~ Poisson(lambda)

    1 + 1 / (6 lambda) for many photons, a hump of 1.16 near one photon, and about
    -2 lambda log(lambda) in the dark; with the floor of `poisson_excess`.

    Args:
        rate: Expected photons, any shape.

    Returns:
        The same shape, without gradient; from a table, to within a thousandth.
    """
    low, high, points = _TABLE
    table = _deviance_table().to(rate.device)
    spacing = (math.log(high) - math.log(low)) / (points - 1)
    place = (rate.clamp(low, high).log() - math.log(low)) / spacing
    left = place.floor().clamp(0, points - 2).long()
    share = (place - left).clamp(0, 1)
    return torch.lerp(table[left], table[left + 1], share.to(table.dtype))


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
