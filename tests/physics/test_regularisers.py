import pytest
import torch

from ptychopinn.physics.regularisers import mean_deviation, total_variation


def test_total_variation_of_a_ramp():
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(9.0), indexing="ij")
    canvas = (3 * y + 4j * x)[None].to(torch.complex64)
    assert total_variation(canvas, torch.ones(1, 6, 9)).item() == pytest.approx(5)
    assert total_variation(torch.ones_like(canvas), torch.ones(1, 6, 9)).item() < 1e-5


def test_weights_choose_where():
    canvas = torch.zeros(1, 4, 8, dtype=torch.complex64)
    canvas[..., 6] = 5
    weight = torch.ones(1, 4, 8)
    weight[..., 4:] = 0
    assert total_variation(canvas, weight).item() < 1e-5
    assert mean_deviation(canvas, weight).item() < 1e-5
    assert total_variation(canvas, torch.ones(1, 4, 8)).item() > 0.5


def test_mean_deviation_by_hand():
    canvas = torch.tensor([[[1.0 + 0j, 3.0 + 0j], [1j * 0 + 1, 3.0 + 0j]]])
    assert mean_deviation(canvas, torch.ones(1, 2, 2)).item() == pytest.approx(1)


@pytest.mark.parametrize("penalty", [total_variation, mean_deviation])
def test_gradient_is_finite_on_a_flat_object(penalty):
    canvas = torch.ones(2, 5, 5, dtype=torch.complex64, requires_grad=True)
    penalty(canvas, torch.ones(1, 5, 5)).backward()
    assert torch.isfinite(torch.view_as_real(canvas.grad)).all()
