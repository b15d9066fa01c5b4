import pytest
import torch

from ptychopinn.config import GeneratorConfig, PieConfig, SimulationConfig, UnrolledConfig
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.inference import convergence
from ptychopinn.inference.convergence import settled_canvas, swept_canvas
from ptychopinn.inference.scan_view import ScanView, Streaming
from ptychopinn.physics.likelihood import poisson_deviance
from ptychopinn.physics.subsets import Subset
from ptychopinn.simulation import simulate
from tests.conftest import make_scan, phase_error


def view_of(scan, subsets):
    return ScanView(scan, Streaming(8, torch.device("cpu"), 2**28), subsets=subsets)


def unrolled():
    config = GeneratorConfig(unrolled=UnrolledConfig(networks=0))
    return build_generator(config, GeneratorSize(32, 1))


def settled(scan, generator):
    taken = []
    with torch.inference_mode():
        canvas = settled_canvas(generator, view_of(scan, generator.subsets), taken.append)
    return canvas[0].numpy(), sum(taken)


def test_a_scan_that_is_explained_gets_no_more_sweeps(monkeypatch):
    monkeypatch.setattr(convergence, "add_long_waves", lambda *_: None)
    scan = make_scan(32, photons=1e3)
    generator = unrolled()
    found, more = settled(scan, generator)
    assert more == 0
    with torch.inference_mode():
        view = view_of(scan, generator.subsets)
        due = generator(view, generator.whole_scan_stages)[0].numpy()
    assert (found == due).all()


def test_a_scan_far_from_explained_gets_more_and_a_better_image():
    """A Gaussian with a flat phase tells little of high frequencies."""
    scan = simulate(
        SimulationConfig(
            object="lines", probe="gaussian", n=32, patterns=100, photons=1e6, defocus_rad=0.0
        )
    )
    generator = unrolled()
    found, more = settled(scan, generator)
    assert 5 < more <= 40
    with torch.inference_mode():
        due = generator(view_of(scan, generator.subsets), generator.whole_scan_stages)
    assert phase_error(found, scan) < 0.6 * phase_error(due[0].numpy(), scan)


def test_whole_sweeps_alone_take_what_was_asked():
    scan = make_scan(32, photons=1e7, noise=False)
    config = GeneratorConfig(name="pie", pie=PieConfig(stages=3))
    generator = build_generator(config, GeneratorSize(32, 1))
    found, more = settled(scan, generator)
    assert more == 0
    with torch.inference_mode():
        assert (found == generator(view_of(scan, 1), 3)[0].numpy()).all()


@pytest.mark.parametrize("masked", [False, True])
def test_deviance_is_that_of_the_patterns(masked):
    scan = make_scan(32)
    if masked:
        scan.mask[3:9, 5] = False
    view = view_of(scan, 2)
    canvas = torch.ones_like(view.illumination) + 0j
    losses, patterns = 0.0, 0
    good = torch.fft.ifftshift(torch.from_numpy(scan.mask)).double()
    for rates, counts in view.predictions(canvas):
        losses += float((poisson_deviance(rates, counts) * good).sum())
        patterns += len(counts)
    halves = [view.deviance(canvas, Subset(part, 2)) for part in (0, 1)]
    assert view.deviance(canvas) == pytest.approx(losses / patterns / scan.mask.sum(), rel=1e-4)
    assert sum(halves) / 2 == pytest.approx(view.deviance(canvas), rel=0.05)


def test_sweeps_beyond_the_learned_ones_start_from_long_waves_too():
    """Who asks for more sweeps gets no worse image than by default: waves longer than the spot."""
    scan = simulate(SimulationConfig(object="dead_leaves", n=32, patterns=400, photons=1e7, seed=1))
    generator = unrolled()
    learned = generator.stages
    images = {}
    with torch.inference_mode():
        view = view_of(scan, generator.subsets)
        for waves in (True, False):
            swept = swept_canvas(generator, view, learned + 3, long_waves=waves)
            images[waves] = swept[0].numpy()
        short = swept_canvas(generator, view, learned)
        assert torch.equal(short, generator(view, learned))
        assert (images[False] == generator(view, learned + 3)[0].numpy()).all()
    assert phase_error(images[True], scan) < 0.8 * phase_error(images[False], scan)
