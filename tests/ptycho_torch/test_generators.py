import importlib.util
from types import SimpleNamespace

import pytest
import torch

from ptycho_torch.generators import fno
from ptycho_torch.generators.registry import resolve_generator
from ptychopinn.config import FnoConfig
from ptychopinn.errors import ConfigError
from ptychopinn.generators.cnn import Cnn


def test_a_name_becomes_a_model(records):
    found = resolve_generator(SimpleNamespace(model=SimpleNamespace(architecture="cnn")))
    assert found.name == "cnn"
    assert isinstance(found.build_model(vars(records)).generator, Cnn)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"'cn' is unknown.*Known:.*cnn, .*unrolled"):
        resolve_generator(SimpleNamespace(architecture="cn"))


def test_the_block_is_a_bypass_around_spectral_and_local_roads():
    block, x = fno.PtychoBlock(4, 3), torch.randn(2, 4, 16, 16)
    expected = x + torch.nn.functional.gelu(block.spectral(x) + block.local(x))
    assert torch.equal(block(x), expected)


@pytest.mark.parametrize("network", [fno.HybridUNOGenerator, fno.CascadedFNOGenerator])
def test_the_networks_map_pictures_to_pictures(network):
    made = network(2, 3, FnoConfig(width=4, modes=4, blocks=1, levels=2))
    assert made(torch.randn(1, 2, 16, 16)).shape == (1, 3, 16, 16)


def test_the_lifter_keeps_the_resolution():
    assert fno.SpatialLifter(1, 6)(torch.randn(1, 1, 8, 8)).shape == (1, 6, 8, 8)


def test_the_flag_says_whether_neuralop_is_here():
    assert (importlib.util.find_spec("neuralop") is not None) == fno.HAS_NEURALOPERATOR
