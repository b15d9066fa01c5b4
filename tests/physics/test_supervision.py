import math

import pytest
import torch

from ptychopinn.physics.supervision import truth_error


def complex_noise(*shape):
    return torch.complex(torch.randn(*shape), torch.randn(*shape))


def phases(*shape):
    return torch.exp(1j * 6 * torch.rand(*shape))


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 9, 8)])
def test_the_truth_with_a_phase_for_each_image_has_no_error(shape):
    truth, weight = complex_noise(*shape), torch.rand(shape)
    assert truth_error(truth * phases(*shape[:-2], 1, 1), truth, weight) < 1e-6


def test_a_phase_within_an_image_is_an_error():
    truth, weight = complex_noise(2, 3, 8, 8), torch.ones(2, 3, 8, 8)
    assert truth_error(truth * phases(8, 1), truth, weight) > 0.5


def test_equation_and_weight():
    """Distance 1/4 in the half that counts, garbage in the other half; a dark image counts 0."""
    truth = torch.ones(1, 1, 4, 4) + 0j
    predicted = truth * 0.75 * complex(math.cos(2), math.sin(2))
    predicted[..., 2:] = 50j
    weight = torch.ones(1, 1, 4, 4)
    weight[..., 2:] = 0
    assert truth_error(predicted, truth, weight).item() == pytest.approx(0.0625, rel=1e-4)
    assert truth_error(predicted, truth, 1e6 * weight).item() == pytest.approx(0.0625, rel=1e-4)
    assert truth_error(predicted, truth, 0 * weight).item() == 0


def test_gradients_are_finite_at_the_truth_and_in_the_dark():
    truth = complex_noise(1, 2, 4, 4)
    for weight in (torch.ones(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)):
        for start in (truth, torch.zeros_like(truth)):
            predicted = start.clone().requires_grad_()
            truth_error(predicted, truth, weight).backward()
            assert torch.isfinite(torch.view_as_real(predicted.grad)).all()
