import pytest
import torch

from ptychopinn.config import CnnConfig
from ptychopinn.generators import GeneratorSize
from ptychopinn.generators.cnn import Cnn, filter_ladder
from ptychopinn.generators.head import Head
from ptychopinn.generators.patch_input import PatchInput
from ptychopinn.physics.view import BatchView
from tests.contracts.test_generators import batch

SIZE = GeneratorSize(32, 4)


def network(lift="none", head=None):
    torch.manual_seed(0)
    return Cnn(CnnConfig(), SIZE, PatchInput(lift, "none"), head or Head("amp_phase"))


@pytest.mark.parametrize(
    ("n", "ladder"), [(64, [32, 64, 128]), (128, [16, 32, 64, 128]), (256, [8, 16, 32, 64, 128])]
)
def test_ladder_of_the_paper(n, ladder):
    assert filter_ladder(n, 1.0) == ladder


@pytest.mark.parametrize("activation", ["sigmoid", "softplus", "relu", "swish"])
def test_amplitudes_are_positive_and_start_near_one(activation):
    head = Head("amp_phase", activation)
    amplitude = network(head=head)(BatchView(batch())).abs()
    assert (amplitude >= 0).all()
    assert amplitude.mean().item() == pytest.approx(1, abs=0.35)


def test_phases_reach_both_ends():
    """pi * tanh: the phase branch must be able to leave (-1, 1) and stay within pi."""
    cnn = network()
    with torch.no_grad():
        cnn.phase.centre.weight.mul_(2000)
    phase = cnn(BatchView(batch())).angle()
    assert phase.max() > 3
    assert phase.min() < -3


@pytest.mark.parametrize("lift", ["none", "backprojection"])
def test_one_layer_draws_the_centre_and_another_the_surroundings(lift):
    cnn = network(lift)
    view = BatchView(batch())
    before = cnn(view)
    inside = torch.zeros(32, 32, dtype=torch.bool)
    inside[8:24, 8:24] = True
    for layer, where in ((cnn.phase.centre, inside), (cnn.phase.outer, ~inside)):
        with torch.no_grad():
            layer.bias.add_(0.3)
        after = cnn(view)
        changed = (after - before).abs() > 1e-3
        assert changed[..., where].all()
        assert not changed[..., ~where].any()
        before = after


def test_normalised_filters_do_not_let_groups_see_each_other_once_trained():
    torch.manual_seed(0)
    settings = CnnConfig(normalisation="batch")
    cnn = Cnn(settings, SIZE, PatchInput("none", "none"), Head("amp_phase"))
    assert any(isinstance(part, torch.nn.BatchNorm2d) for part in cnn.modules())
    whole = batch()
    first = whole._replace(**{k: getattr(whole, k)[:1] for k in ("counts", "corners", "fractions")})
    assert not torch.allclose(cnn(BatchView(whole))[:1], cnn(BatchView(first)), atol=1e-4)
    cnn.eval()
    torch.testing.assert_close(cnn(BatchView(whole))[:1], cnn(BatchView(first)))
