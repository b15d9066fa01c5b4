import dataclasses

import pytest
import torch
from torch.nn import functional as F

from ptychopinn.config import FnoConfig, GeneratorConfig
from ptychopinn.errors import ConfigError
from ptychopinn.generators import GeneratorSize, build_generator, spectral
from ptychopinn.generators import uno as uno_module
from ptychopinn.generators.ffno import FactorizedSpectral
from ptychopinn.generators.fno import CascadedFno, PtychoBlock, SpatialLifter
from ptychopinn.generators.hybrid import HybridUno, capped_channels
from ptychopinn.generators.uno import ResizingSpectralLayer
from ptychopinn.physics.view import BatchView
from tests.contracts.test_generators import SMALL_FNO, same_batch
from tests.generators.test_spectral import needs_neuralop, wave

SIZE = GeneratorSize(32, 4)
FAMILY = ("fno", "fno_vanilla", "ffno", "hybrid", pytest.param("uno", marks=needs_neuralop))
each_of_the_family = pytest.mark.parametrize("name", FAMILY)


def weights(settings, network=HybridUno):
    return sum(parameter.numel() for parameter in network(4, 8, settings).parameters())


def test_lifter_keeps_the_resolution():
    lifter = SpatialLifter(in_channels=3, out_channels=5)
    x = torch.randn(2, 3, 16, 16)
    layers = [module for module in lifter.modules() if isinstance(module, torch.nn.Conv2d)]
    assert [layer.kernel_size for layer in layers] == [(3, 3), (3, 3)]
    expected = F.gelu(layers[1](F.gelu(layers[0](x))))
    torch.testing.assert_close(lifter(x), expected)
    assert expected.shape == (2, 5, 16, 16)


def test_block_is_its_equation():
    block, x = PtychoBlock(channels=4, modes=3), torch.randn(2, 4, 16, 16)
    torch.testing.assert_close(block(x), x + F.gelu(block.spectral(x) + block.local(x)))


def test_a_block_sees_the_whole_patch():
    """A pixel in one corner reaches the opposite one, which a convolution cannot do."""
    block, x = PtychoBlock(channels=2, modes=4), torch.zeros(1, 2, 32, 32)
    spot = x.clone()
    spot[..., 0, 0] = 100
    assert (block(spot) - block(x))[..., 16, 16].abs().max() > 1e-3


@each_of_the_family
def test_too_many_modes_are_refused_before_anything_is_built(name, monkeypatch):
    monkeypatch.setattr(torch.nn.Conv2d, "__init__", None)
    config = GeneratorConfig(name=name, fno=FnoConfig(modes=17))
    with pytest.raises(ConfigError, match=r"generator\.fno\.modes: .*N // 2 = 16 .*got 17"):
        build_generator(config, SIZE)


@each_of_the_family
def test_the_highest_mode_of_the_pattern_is_allowed(name):
    settings = dataclasses.replace(SMALL_FNO, modes=16, levels=3)
    generator = build_generator(GeneratorConfig(name=name, fno=settings), SIZE)
    assert torch.isfinite(torch.view_as_real(generator(BatchView(same_batch())))).all()


@each_of_the_family
@pytest.mark.parametrize("lift", ["none", "backprojection"])
def test_an_untrained_network_returns_what_is_known(name, lift):
    generator = build_generator(GeneratorConfig(name=name, lift=lift, fno=SMALL_FNO), SIZE)
    view = BatchView(same_batch())
    estimate = generator.source(view).estimate
    known = torch.ones(2, 4, 32, 32) if estimate is None else estimate
    lit = view.weight > 0.1 * view.weight.amax()
    assert (generator(view) - known)[lit].abs().mean() < 0.1


@pytest.mark.parametrize("name", ["fno", "ffno", "hybrid"])
def test_weights_serve_with_and_without_the_library(name, monkeypatch):
    generator = build_generator(GeneratorConfig(name=name, fno=SMALL_FNO), SIZE)
    view = BatchView(same_batch())
    expected = generator(view)
    monkeypatch.setattr(spectral, "neuralop", lambda: None)
    twin = build_generator(GeneratorConfig(name=name, fno=SMALL_FNO), SIZE)
    twin.load_state_dict(generator.state_dict())
    torch.testing.assert_close(twin(view), expected, atol=1e-5, rtol=0)


def test_vanilla_is_fno_without_refiner():
    fno, vanilla = (
        build_generator(GeneratorConfig(name=name, fno=SMALL_FNO), SIZE).body
        for name in ("fno", "fno_vanilla")
    )
    assert isinstance(vanilla, CascadedFno)
    assert len(fno.refiner) == SMALL_FNO.refiner_blocks
    assert len(vanilla.refiner) == 0


def test_channels_are_capped_in_hybrid():
    capped = FnoConfig(width=4, modes=8, levels=5, most_channels=8)
    assert capped_channels(capped) == [4, 8, 8, 8, 8]
    free = dataclasses.replace(capped, most_channels=1024)
    assert capped_channels(free) == [4, 8, 16, 32, 64]
    per_level = weights(capped) - weights(dataclasses.replace(capped, levels=4))
    above = weights(dataclasses.replace(capped, levels=4)) - weights(
        dataclasses.replace(capped, levels=3)
    )
    assert per_level <= above
    assert weights(free) > 5 * weights(capped)
    assert capped_channels(FnoConfig(width=64, most_channels=8, levels=2)) == [64, 64]


def test_hybrid_has_a_spectral_encoder_and_a_convolutional_decoder():
    network = HybridUno(4, 8, FnoConfig(width=4, levels=3, modes=8))

    def spectral_layers(part):
        return [m for m in part.modules() if isinstance(m, spectral.SpectralLayer)]

    assert [layer.n_modes[0] // 2 for layer in spectral_layers(network.encoder)] == [8, 4, 2]
    assert not spectral_layers(network.decoder)


@pytest.mark.parametrize("name", ["hybrid", "uno"])
def test_too_many_levels_are_refused(name):
    config = GeneratorConfig(name=name, fno=dataclasses.replace(SMALL_FNO, levels=3))
    with pytest.raises(ConfigError, match=r"generator\.fno\.levels.*got 3 levels.* 30 x 30"):
        build_generator(config, GeneratorSize(30, 4))


@pytest.mark.parametrize("n", [15, 30])
@pytest.mark.parametrize("name", ["fno", "fno_vanilla", "ffno"])
def test_networks_of_one_resolution_take_any_n(name, n):
    generator = build_generator(GeneratorConfig(name=name, fno=SMALL_FNO), GeneratorSize(n, 4))
    patches = generator(BatchView(same_batch(n=n)))
    assert patches.shape == (2, 4, n, n)


def test_factorised_weights_grow_with_modes_alone():
    few, many = (
        sum(p.numel() for p in FactorizedSpectral(4, modes).parameters()) for modes in (3, 7)
    )
    assert many - few == 2 * 2 * 4 * 4 * (7 - 3)


def test_factorised_layer_acts_along_both_axes():
    layer, x = FactorizedSpectral(3, 4), torch.randn(2, 3, 12, 16)
    y = layer(x)
    assert y.shape == x.shape
    row = layer.along_rows(x[:, :, 5])
    column = layer.along_columns(x[..., 7])
    torch.testing.assert_close(y[:, :, 5, 7], row[..., 7] + column[..., 5])


def test_uno_without_the_library_names_the_command(monkeypatch):
    monkeypatch.setattr(uno_module, "neuralop", lambda: None)
    with pytest.raises(ConfigError, match=r"uno.*pip install neuraloperator .*hybrid"):
        build_generator(GeneratorConfig(name="uno", fno=SMALL_FNO), SIZE)


@needs_neuralop
def test_uno_is_the_librarys_and_says_nothing(capsys):
    generator = build_generator(GeneratorConfig(name="uno", fno=SMALL_FNO), SIZE)
    assert type(generator.body).__module__ == "neuralop.models.uno"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("factor", "size"), [(0.5, 16), (1.0, 32), (2.0, 64)])
def test_resizing_keeps_both_signs_of_the_row_frequency(factor, size):
    """Trap: neuralop 2.0.0 loses negative row frequencies wherever it changes size."""
    layer = ResizingSpectralLayer(1, 1, (8, 8), resolution_scaling_factor=[factor, factor])
    with torch.no_grad():
        layer.spectral.weight.copy_(torch.tensor([1.0, 0.0]).expand(1, 1, 8, 5, 2))
    for frequency in ((2, 1), (-2, 1)):
        answer = layer(wave(32, frequency)[None, None])[0, 0]
        expected = wave(size, frequency)
        similarity = torch.corrcoef(torch.stack([answer.flatten(), expected.flatten()]))[0, 1]
        assert similarity > 0.9
