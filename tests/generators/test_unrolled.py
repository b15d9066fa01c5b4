import numpy as np
import pytest
import torch

from ptychopinn.config import GeneratorConfig, UnrolledConfig
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.inference import ScanView
from tests.conftest import make_scan, phase_error


def solve(scan, **settings):
    generator = build_generator(
        GeneratorConfig(name="pie", unrolled=UnrolledConfig(**settings)), GeneratorSize(scan.n, 1)
    )
    with torch.inference_mode():
        return generator(ScanView(scan, 8, torch.device("cpu")))[0].numpy()


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
    view = ScanView(scan, 8, torch.device("cpu"))
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


def test_an_untrained_network_changes_nothing():
    scan = make_scan(32)
    view = ScanView(scan, 8, torch.device("cpu"))
    settings = UnrolledConfig(stages=4, width=8, depth=2)
    size = GeneratorSize(32, 1)
    with torch.inference_mode():
        plain, deep = (
            build_generator(GeneratorConfig(name=name, unrolled=settings), size)(view)
            for name in ("pie", "unrolled")
        )
    torch.testing.assert_close(plain, deep)


def test_more_stages_than_trained_repeat_the_last_pace():
    scan = make_scan(32, photons=1e7, noise=False)
    generator = build_generator(
        GeneratorConfig(name="pie", unrolled=UnrolledConfig(stages=6)), GeneratorSize(32, 1)
    )
    view = ScanView(scan, 8, torch.device("cpu"))
    with torch.inference_mode():
        six, thirty = (generator(view, stages)[0].numpy() for stages in (6, 30))
    assert phase_error(thirty, scan) < phase_error(six, scan)
