import numpy as np
import pytest
import torch

from ptychopinn.config import GeneratorConfig, PieConfig, UnrolledConfig
from ptychopinn.errors import ConfigError
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.inference import ScanView, Streaming
from tests.conftest import make_scan, phase_error


def solve(scan, **settings):
    generator = build_generator(
        GeneratorConfig(name="pie", pie=PieConfig(**settings)), GeneratorSize(scan.n, 1)
    )
    with torch.inference_mode():
        return generator(ScanView(scan, Streaming(8, torch.device("cpu"))))[0].numpy()


@pytest.mark.parametrize("modes", [1, 3])
def test_pie_finds_the_truth(modes):
    """Noise-free data: the classical baseline must converge to the object itself."""
    scan = make_scan(32, modes=modes, photons=1e7, noise=False)
    few, many = (phase_error(solve(scan, stages=stages), scan) for stages in (5, 60))
    assert many < 0.02
    assert many < few / 4


def test_one_plain_stage_is_the_equation():
    """O1 = 1 + b * update(1) / (illumination + a max), without momentum."""
    scan = make_scan(16)
    view = ScanView(scan, Streaming(8, torch.device("cpu")))
    flat = torch.ones_like(view.illumination) + 0j
    peak = view.illumination.max()
    expected = flat + 0.7 * view.update(flat) / (view.illumination + 0.2 * peak)
    found = solve(scan, stages=1, step=0.7, damping=0.2, momentum=0.0)
    np.testing.assert_allclose(found, expected[0].numpy(), rtol=1e-5, atol=1e-6)


def test_momentum_pays():
    scan = make_scan(32, photons=1e7, noise=False)
    plain = phase_error(solve(scan, stages=15, momentum=0.0), scan)
    fast = phase_error(solve(scan, stages=15, momentum=1.0), scan)
    assert fast < 0.7 * plain


def unrolled(scan, **settings):
    config = GeneratorConfig(unrolled=UnrolledConfig(**{"width": 8, "depth": 2, **settings}))
    generator = build_generator(config, GeneratorSize(scan.n, 1))
    view = ScanView(scan, Streaming(8, torch.device("cpu")), subsets=generator.subsets)
    with torch.inference_mode():
        return generator(view)[0].numpy()


def test_untrained_networks_change_nothing():
    scan = make_scan(32)
    np.testing.assert_array_equal(
        unrolled(scan, networks=2), unrolled(scan, networks=0), strict=True
    )


def test_subsets_reach_in_one_sweep_what_whole_sweeps_need_several_for():
    scan = make_scan(32, photons=1e7, noise=False)
    errors = {
        subsets: phase_error(unrolled(scan, stages=3, subsets=subsets, networks=0), scan)
        for subsets in (1, 8)
    }
    assert errors[8] < 0.5 * errors[1]


def test_steps_use_every_pattern_once_a_sweep_and_the_last_sweeps_are_calmer():
    generator = build_generator(
        GeneratorConfig(unrolled=UnrolledConfig(width=8, depth=2)), GeneratorSize(32, 1)
    )
    counts = [[subset.count for subset, _ in generator._steps(k, 64)] for k in range(5)]
    assert counts == [[8] * 8] * 3 + [[4] * 4] * 2
    assert len(generator.momentum) == 32
    assert [s.count for s, _ in generator._steps(0, 2)] == [2, 2]


def test_subsets_that_are_no_power_of_two_are_refused():
    with pytest.raises(ConfigError, match=r"subsets: expected a power of two, got 6; use 4"):
        build_generator(GeneratorConfig(unrolled=UnrolledConfig(subsets=6)), GeneratorSize(32, 1))


@pytest.mark.parametrize("name", ["pie", "unrolled"])
def test_stages_beyond_the_learned_ones_converge(name):
    scan = make_scan(32, photons=1e7, noise=False)
    small = UnrolledConfig(width=8, depth=2)
    generator = build_generator(
        GeneratorConfig(name=name, pie=PieConfig(stages=6), unrolled=small), GeneratorSize(32, 1)
    )
    view = ScanView(scan, Streaming(8, torch.device("cpu")), subsets=generator.subsets)
    with torch.inference_mode():
        learned, more, many = (
            phase_error(generator(view, stages)[0].numpy(), scan) for stages in (6, 30, 90)
        )
    assert many < more < learned
    assert many < 0.02
