"""How far an object is from the true one, as a share of its power."""

import torch


def square_error(
    predicted: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """Return the mean squared distance of each group from the truth, as a share of its power.

        E = sum w |O exp(-i a) - T|^2 / sum w |T|^2,   a = arg sum w conj(T) O

    Args:
        predicted: (B, H, W) complex.
        truth: As `predicted`, in the same gauge.
        weight: As `predicted`, real; 0 leaves a pixel out.

    Returns:
        (B,); 0 for the truth times any phase factor.
    """
    product = (weight * truth.conj() * predicted).detach().sum(dim=(-2, -1), keepdim=True)
    turned = predicted * torch.polar(torch.ones_like(product.real), -product.angle())
    distance = torch.view_as_real(turned - truth).square().sum(dim=-1)
    power = torch.view_as_real(truth).square().sum(dim=-1)
    return (weight * distance).sum(dim=(-2, -1)) / (weight * power).sum(dim=(-2, -1))
