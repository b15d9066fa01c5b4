"""The measured wave brought back to the object: what a patch network sees in place of a modulus."""

import torch

from ptychopinn.physics.view import BatchView

#: Damping a of the division by |P|^2, as a share of its maximum.
DAMPING = 0.1


def back_projection(view: BatchView) -> torch.Tensor:
    """Estimate every object patch from its own pattern, starting from a flat object.

        O_est = 1 + sum_p conj(P_p) (psi'_p - P_p) / ((1 - a) w + a max w),  w = sum_p |P_p|^2

    with psi' the exit waves of a flat object given the measured modulus
    (`projection.object_update`). It takes the Fourier inversion out of what a network must learn.

    Args:
        view: Patterns and probes of a batch.

    Returns:
        (B, C, N, N) complex, of order 1, in the window frame.
    """
    flat = torch.ones_like(view.weight) + 0j
    weight = view.weight
    peak = weight.amax(dim=(-2, -1), keepdim=True)
    return flat + view.patch_update(flat) / ((1 - DAMPING) * weight + DAMPING * peak)
