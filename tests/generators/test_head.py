import math

import pytest
import torch

from ptychopinn.generators.head import Head, begin_small

ACTIVATIONS = ("sigmoid", "softplus", "relu", "swish")
HEADS = [Head("real_imag"), *(Head("amp_phase", activation) for activation in ACTIVATIONS)]
each_head = pytest.mark.parametrize("head", HEADS, ids=str)


def polar(amplitude, phase):
    return torch.polar(torch.tensor([[[[amplitude]]]]), torch.tensor([[[[phase]]]]))


@each_head
@pytest.mark.parametrize("phase", [3.1, -3.1, 0.0])
def test_phases_near_pi_can_be_told(head, phase):
    """Trap: a real-imaginary head boxed to (-0.8, 1.2) has no number with a phase near pi."""
    steps = torch.linspace(-6, 6, 801)
    first, second = torch.meshgrid(steps, steps, indexing="ij")
    answers = head(first[None, None], second[None, None])
    assert (answers - polar(1.2, phase)).abs().min() < 0.02


@each_head
def test_maps_of_zeros_give_the_estimate(head):
    estimate = torch.polar(torch.linspace(0.1, 1.7, 64), torch.linspace(-2.9, 2.9, 64))
    estimate = estimate.reshape(1, 1, 8, 8)
    nothing = torch.zeros(1, 1, 8, 8)
    torch.testing.assert_close(head(nothing, nothing, estimate), estimate, atol=2e-3, rtol=0)
    ones = head(nothing, nothing)
    torch.testing.assert_close(ones, torch.ones_like(ones), atol=2e-3, rtol=0)


@each_head
def test_a_wild_estimate_still_learns(head):
    """A lift of noise: amplitudes far above the ceiling, none at all, phases at the wrap."""
    estimate = torch.cat([polar(a, p) for a in (0.0, 50.0) for p in (-math.pi, 0.3)], dim=-1)
    maps = torch.zeros(2, 1, 1, 1, 4, requires_grad=True)
    answer = head(*maps, estimate)
    (answer.abs().sum() + answer.angle().sum()).backward()
    assert torch.isfinite(maps.grad).all()
    changed = head(*(torch.full_like(m, 0.3) for m in maps), estimate)
    assert ((changed - answer).abs() > 1e-3).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_amplitudes_are_never_negative(activation):
    x = torch.linspace(-30, 30, 101).reshape(1, 1, 1, 101)
    head = Head("amp_phase", activation, ceiling=1.5)
    amplitude = head(x, torch.zeros_like(x)).real
    assert (amplitude >= 0).all()
    if activation == "sigmoid":
        assert amplitude.max() <= 1.5


def test_real_and_imaginary_part_have_no_bounds():
    wide = torch.tensor([[[[-40.0, 25.0]]]])
    torch.testing.assert_close(Head("real_imag")(wide, -wide), 1 + torch.complex(wide, -wide))


def test_a_small_beginning_keeps_all_weights_alive():
    layer = torch.nn.Conv2d(3, 2, 1)
    before = layer.weight.detach().clone()
    begin_small(layer)
    torch.testing.assert_close(layer.weight.detach(), 0.05 * before)
