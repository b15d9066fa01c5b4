import pytest
import torch
from torch.nn import functional as F

from ptychopinn.generators.canvas_network import CanvasNetwork


def trained(depth: int = 2) -> CanvasNetwork:
    """A network whose last layer says something."""
    torch.manual_seed(depth)
    network = CanvasNetwork(inputs=3, width=8, depth=depth)
    torch.nn.init.normal_(network.unfold.weight)
    return network


def test_folding_by_strides_is_folding_pixels_into_channels():
    network = trained()
    x = torch.randn(2, 3, 16, 24)
    wanted = network.fold(F.pixel_unshuffle(x, 2))
    torch.testing.assert_close(network._folded(x), wanted, rtol=1e-4, atol=1e-5)


def test_what_folds_learns_as_if_pixels_were_folded():
    network = trained()
    x = torch.randn(1, 3, 8, 8)
    gradients = []
    for folded in (network._folded(x), network.fold(F.pixel_unshuffle(x, 2))):
        (gradient,) = torch.autograd.grad(folded.square().sum(), network.fold.weight)
        gradients.append(gradient)
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)
    assert gradients[0].abs().max() > 0


@pytest.mark.parametrize("shape", [(16, 16), (13, 18), (4, 5)])
def test_any_shape_is_answered(shape):
    network = trained()
    assert network(torch.randn(1, 3, *shape)).shape == (1, 2, *shape)


def test_nothing_sees_farther_than_the_halo():
    network = trained()
    side = 4 * network.halo_px
    x = torch.randn(1, 3, side, side)
    changed = x.clone()
    changed[..., 0, 0] += 10
    difference = (network(changed) - network(x)).abs().amax(dim=(0, 1))
    reach = difference.nonzero().amax(dim=0)
    assert difference[0, 0] > 0
    assert (reach <= network.halo_px).all()


def test_an_untrained_network_changes_nothing():
    assert not CanvasNetwork(3, 8, 2)(torch.randn(1, 3, 16, 16)).any()
