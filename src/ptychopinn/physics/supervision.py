"""How far a predicted object is from the true one: the loss of supervised training."""

import torch


def truth_error(predicted: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the mean squared distance from the truth in the light, without global phases.

        E = mean over images of  sum w |O exp(-i a) - T|^2 / sum w,   a = arg sum w conj(T) O

    - Each image, a patch or a canvas, loses a phase of its own, because no diffraction pattern
      depends on it: a network that is punished for it learns the mean of all phases, which is grey.
      Overlap does tell the phases of neighbouring patches relative to each other, but a network
      that is given no positions cannot use it. (Lines, N = 32, `cnn` with lift, 150 steps: phase
      correlation 0.79; with one phase for the four patches of a group 0.71.)
    - Squared: the absolute distance is flat around the mean object, and training stays there (the
      same run: 0.02).
    - Of the complex object, not of amplitude and phase: where the object is dark its phase means
      nothing, and a phase near pi may wrap.
    - Weighted by the light, because nothing is known where none fell.

    Args:
        predicted: (..., H, W) complex, patches or canvases.
        truth: As `predicted`, in the same gauge.
        weight: As `predicted`, real, photons per pixel; 0 leaves a pixel out.

    Returns:
        Scalar; 0 for the truth times a phase factor for each image.
    """
    light = weight.sum(dim=(-2, -1)).clamp_min(torch.finfo(weight.dtype).tiny)
    return (_lost(predicted, truth, weight) / light).mean()


def square_error(
    predicted: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """Return the squared distance of each image from the truth, as a share of the truth's power.

        E = sum w |O exp(-i a) - T|^2 / sum w |T|^2,   a as in `truth_error`

    Args:
        predicted: (..., H, W) complex.
        truth: As `predicted`, in the same gauge.
        weight: As `predicted`, real; 0 leaves a pixel out.

    Returns:
        (...); 0 for the truth times any phase factor.
    """
    power = torch.view_as_real(truth).square().sum(dim=-1)
    return _lost(predicted, truth, weight) / (weight * power).sum(dim=(-2, -1))


def _lost(predicted: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return sum w |O exp(-i a) - T|^2 of each image; no gradient flows through the phase a."""
    product = (weight * truth.conj() * predicted).detach().sum(dim=(-2, -1), keepdim=True)
    turned = predicted * torch.polar(torch.ones_like(product.real), -product.angle())
    distance = torch.view_as_real(turned - truth).square().sum(dim=-1)
    return (weight * distance).sum(dim=(-2, -1))
