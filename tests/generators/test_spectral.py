import importlib
import sys

import pytest
import torch

from ptychopinn.errors import ConfigError
from ptychopinn.generators import spectral
from ptychopinn.generators.spectral import SpectralLayer, require_modes


def neuralop_imports():
    try:
        importlib.import_module("neuralop")
    except ImportError:
        return False
    return True


needs_neuralop = pytest.mark.skipif(
    not neuralop_imports(), reason="neuralop is not installed: pip install neuraloperator"
)


@pytest.fixture
def without_neuralop(monkeypatch):
    monkeypatch.setattr(spectral, "neuralop", lambda: None)


@pytest.fixture(params=[pytest.param("neuralop", marks=needs_neuralop), "torch.fft"])
def road(request, monkeypatch):
    if request.param == "torch.fft":
        monkeypatch.setattr(spectral, "neuralop", lambda: None)


def test_flag_is_the_import_itself():
    assert spectral.HAS_NEURALOPERATOR is neuralop_imports()


def test_flag_is_false_where_the_import_fails(monkeypatch):
    """As in an installation without the library, or where one of its own needs is missing."""
    monkeypatch.setitem(sys.modules, "neuralop", None)
    spectral.neuralop.cache_clear()
    try:
        assert spectral.HAS_NEURALOPERATOR is False
        assert SpectralLayer(2, 3, 4)(torch.ones(1, 2, 16, 16)).shape == (1, 3, 16, 16)
    finally:
        spectral.neuralop.cache_clear()


def test_other_names_are_unknown():
    with pytest.raises(AttributeError, match="HAS_NEURALOP'"):
        _ = spectral.HAS_NEURALOP


@needs_neuralop
@pytest.mark.parametrize("shape", [(16, 16), (32, 24), (10, 16), (12, 13), (16,), (15,)])
@pytest.mark.parametrize("modes", [1, 3, 5])
def test_the_library_and_the_fft_answer_the_same(shape, modes, monkeypatch):
    layer = SpectralLayer(3, 4, modes, dimensions=len(shape))
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 3, *shape)
    by_library = layer(x)
    monkeypatch.setattr(spectral, "neuralop", lambda: None)
    torch.testing.assert_close(layer(x), by_library, atol=1e-5, rtol=0)


@needs_neuralop
@pytest.mark.usefixtures("without_neuralop")
@pytest.mark.parametrize("n_modes", [(8, 8), (8,)])
def test_weights_move_from_the_librarys_own_layer(n_modes):
    theirs = importlib.import_module("neuralop.layers.spectral_convolution").SpectralConv(
        3, 4, n_modes
    )
    ours = SpectralLayer(3, 4, 4, dimensions=len(n_modes))
    state = theirs.state_dict()
    ours.load_state_dict(
        {"weight": torch.view_as_real(state["weight.tensor"]), "bias": state["bias"]}
    )
    x = torch.randn(2, 3, *(16,) * len(n_modes))
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=0)


@needs_neuralop
def test_gradients_are_the_same(monkeypatch):
    layer, x = SpectralLayer(2, 3, 3), torch.randn(1, 2, 12, 12, requires_grad=True)
    by_library = torch.autograd.grad(layer(x).square().sum(), (x, layer.weight))
    monkeypatch.setattr(spectral, "neuralop", lambda: None)
    by_fft = torch.autograd.grad(layer(x).square().sum(), (x, layer.weight))
    torch.testing.assert_close(by_fft, by_library, atol=1e-5, rtol=1e-5)


def wave(n, frequency):
    y, x = torch.meshgrid(torch.arange(n) / n, torch.arange(n) / n, indexing="ij")
    return torch.cos(2 * torch.pi * (frequency[0] * y + frequency[1] * x) + 0.4)


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize("n", [16, 17])
@pytest.mark.parametrize("frequency", [(0, 0), (2, 3), (-2, 3), (-4, 1), (3, 0), (0, 4)])
def test_both_signs_of_the_row_frequency_pass(n, frequency):
    """Trap: a layer that keeps rows 0 ... m alone turns a diagonal wave into nothing."""
    layer = SpectralLayer(1, 1, 4)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 0.0]).expand_as(layer.weight))
    x = wave(n, frequency)
    torch.testing.assert_close(layer(x[None, None])[0, 0], x, atol=1e-5, rtol=0)


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize("frequency", [(5, 0), (-5, 2), (0, 5), (1, 7)])
def test_higher_frequencies_are_dropped(frequency):
    layer = SpectralLayer(1, 1, 4)
    assert layer(wave(16, frequency)[None, None]).abs().max() < 1e-5


@pytest.mark.usefixtures("road")
def test_each_sign_has_weights_of_its_own():
    """A weight for row frequency -2 changes waves of -2 and leaves those of +2 alone."""
    layer = SpectralLayer(1, 1, 4)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0, 4 - 2, 3, 0] = 1
    assert layer(wave(16, (-2, 3))[None, None]).abs().max() > 0.9
    assert layer(wave(16, (2, 3))[None, None]).abs().max() < 1e-5


def test_modes_beyond_the_pattern_are_refused():
    require_modes(16, 32)
    with pytest.raises(ConfigError, match=r"at most N // 2 = 16 .*32 x 32 pixels, got 17"):
        require_modes(17, 32)
