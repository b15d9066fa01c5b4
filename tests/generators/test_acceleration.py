import os

import pytest
import torch
from torch import nn

from ptychopinn.config import Config, GeneratorConfig, InferenceConfig, UnrolledConfig
from ptychopinn.errors import ConfigError
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.generators.acceleration import CACHE_VARIABLE, accelerated
from ptychopinn.generators.canvas_network import CanvasNetwork
from ptychopinn.generators.unrolled import Unrolled
from ptychopinn.inference import ScanView, Streaming, reconstruct
from tests.conftest import make_scan


@pytest.fixture
def solver():
    made = Unrolled(UnrolledConfig(stages=2, networks=1, width=8, depth=2)).eval()
    nn.init.normal_(made.networks[0].unfold.weight, std=0.1)
    return made


@pytest.fixture
def compiled(monkeypatch, tmp_path):
    """Networks that were compiled; without the minute that code for this processor takes."""
    networks = []
    compile_ = nn.Module.compile

    def quickly(network):
        networks.append(network)
        compile_(network, backend="eager")

    monkeypatch.setattr(CanvasNetwork, "compile", quickly)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # Set before it is deleted, so that it is as it was after the test, whatever the code does.
    monkeypatch.setenv(CACHE_VARIABLE, "set")
    monkeypatch.delenv(CACHE_VARIABLE)
    return networks


def image(solver):
    scan = make_scan(16)
    view = ScanView(scan, Streaming(8, torch.device("cpu")), subsets=solver.subsets)
    with torch.inference_mode():
        return solver(view)


def test_full_precision_is_the_generator_itself(solver):
    assert accelerated(solver, bf16=False, compiled=False) is solver


def test_only_the_networks_of_a_copy_are_in_bfloat16(solver):
    before = {name: value.clone() for name, value in solver.state_dict().items()}
    fast = accelerated(solver, bf16=True, compiled=False)
    for name, value in fast.state_dict().items():
        wanted = torch.bfloat16 if name.startswith("networks.") else torch.float32
        assert value.dtype == wanted, name
    for name, value in solver.state_dict().items():
        assert torch.equal(value, before[name])
    whole, half = image(solver), image(fast)
    assert half.dtype == torch.complex64
    apart = (half - whole).abs().max() / whole.abs().max()
    assert 0 < apart < 1e-2


def test_compiled_networks_answer_the_same(solver, compiled, tmp_path):
    fast = accelerated(solver, bf16=False, compiled=True)
    assert compiled == list(fast.networks)
    assert os.environ[CACHE_VARIABLE] == str(tmp_path / "ptychopinn" / "compiled")
    torch.testing.assert_close(image(fast), image(solver))


def test_a_cache_that_was_chosen_is_kept(solver, compiled, monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "elsewhere"))
    accelerated(solver, bf16=True, compiled=True)
    assert os.environ[CACHE_VARIABLE] == str(tmp_path / "elsewhere")
    assert len(compiled) == 1


def test_a_home_that_cannot_be_written_is_no_obstacle(solver, compiled, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    accelerated(solver, bf16=False, compiled=True)
    assert str(tmp_path) not in os.environ.get(CACHE_VARIABLE, "")
    assert len(compiled) == 1


def test_without_a_compiler_nothing_is_compiled(solver, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(ConfigError, match=r"inference.compile: found no C\+\+ compiler"):
        accelerated(solver, bf16=False, compiled=True)


@pytest.mark.parametrize("name", ["pie", "cnn"])
@pytest.mark.parametrize(("setting", "says"), [("bf16", "precision"), ("compiled", "compile")])
def test_generators_without_networks_on_the_canvas_refuse(name, setting, says):
    generator = build_generator(GeneratorConfig(name=name), GeneratorSize(32, 4))
    asked = {"bf16": False, "compiled": False, setting: True}
    with pytest.raises(ConfigError, match=rf"inference.{says}: it is for networks"):
        accelerated(generator, **asked)


def test_settings_reach_a_reconstruction(compiled):
    def made(**settings):
        return reconstruct(scan, None, Config(inference=InferenceConfig(checks=False, **settings)))

    scan = make_scan(32)
    full, half, quick = made(), made(precision="bf16"), made(compile=True)
    assert half.provenance["weights_sha256"] == full.provenance["weights_sha256"]
    assert 0 < abs(half.object - full.object).max() < 0.05
    assert abs(quick.object - full.object).max() < 1e-4
    assert compiled
    pie = Config(generator=GeneratorConfig(name="pie"), inference=InferenceConfig(precision="bf16"))
    with pytest.raises(ConfigError, match="leave it out"):
        reconstruct(scan, None, pie)
