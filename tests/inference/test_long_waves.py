import dataclasses

import numpy as np
import pytest
import torch

from ptychopinn.config import Config, InferenceConfig, SimulationConfig
from ptychopinn.inference import ScanView, Streaming, convergence, reconstruct
from ptychopinn.inference.convergence import add_long_waves, lowest_share
from ptychopinn.inference.long_waves import NodePhase, long_wave_phase
from ptychopinn.physics.subsets import EVERY, Subset
from ptychopinn.simulation import simulate
from tests.conftest import make_scan, phase_error

CPU = torch.device("cpu")


def view_of(scan, subsets=4, **streaming):
    return ScanView(scan, Streaming(8, CPU, 2**28, **streaming), subsets=subsets)


def slow_wave(shape, amplitude=0.1):
    """One period of a wave over the canvas, along both axes."""
    y, x = np.meshgrid(*(np.arange(side) / side for side in shape), indexing="ij")
    return amplitude * np.sin(2 * np.pi * y) * np.cos(2 * np.pi * x)


def left_over(canvas, scan):
    """RMS phase error where light fell."""
    return phase_error(canvas[0].numpy(), scan, margin=scan.n // 2)


@pytest.fixture(scope="module")
def scan():
    return make_scan(32, side=12, photons=1e6, noise=False)


@pytest.fixture
def warped(scan):
    phase = slow_wave(scan.canvas_shape)
    return torch.from_numpy((scan.truth * np.exp(1j * phase)).astype(np.complex64))[None]


@pytest.mark.parametrize("canvas_on_host", [False, True])
def test_a_slow_wave_is_found_at_once(scan, warped, canvas_on_host):
    view = view_of(scan, canvas_on_host=canvas_on_host)
    before = left_over(warped, scan)
    with torch.inference_mode():
        canvas = warped.clone()
        long_wave_phase(view, canvas, EVERY).turn(canvas)
    assert before > 0.03
    assert left_over(canvas, scan) < 0.3 * before


def test_a_quarter_of_the_patterns_finds_it_too(scan, warped):
    with torch.inference_mode():
        canvas = warped.clone()
        long_wave_phase(view_of(scan), canvas, Subset(0, 4)).turn(canvas)
    assert left_over(canvas, scan) < 0.5 * left_over(warped, scan)


def test_the_truth_is_left_alone(scan):
    truth = torch.from_numpy(scan.truth)[None]
    with torch.inference_mode():
        phase = long_wave_phase(view_of(scan), truth, EVERY)
    assert phase.nodes.std() < 1e-3


def test_few_patterns_are_not_asked():
    scan = make_scan(16, side=3)
    with torch.inference_mode():
        canvas = torch.from_numpy(scan.truth)[None]
        assert long_wave_phase(view_of(scan), canvas, Subset(0, 4)) is None
        add_long_waves(canvas, view_of(scan))
    assert (canvas[0].numpy() == scan.truth).all()


def test_patterns_that_were_not_asked_have_the_last_word(scan, warped, monkeypatch):
    view, judges = view_of(scan), Subset(3, 4)
    with torch.inference_mode():
        before = view.deviance(warped, judges)
        canvas = warped.clone()
        add_long_waves(canvas, view)
        assert view.deviance(canvas, judges) < before
        assert left_over(canvas, scan) < 0.5 * left_over(warped, scan)
        canvas = warped.clone()
        monkeypatch.setattr(NodePhase, "turn", lambda _, rows, share=1: rows.mul_(1 + share / 100))
        add_long_waves(canvas, view)
    assert torch.equal(canvas, warped)


def test_of_too_much_a_part_is_taken(scan, warped, monkeypatch):
    """Patterns that ask for three times what they need get what others bear out."""
    turn, view = NodePhase.turn, view_of(scan)
    monkeypatch.setattr(NodePhase, "turn", lambda s, rows, share=1.0: turn(s, rows, 3 * share))
    with torch.inference_mode():
        canvas = warped.clone()
        add_long_waves(canvas, view)
    assert left_over(canvas, scan) < 0.6 * left_over(warped, scan)


def test_the_lowest_point_of_a_parabola():
    assert lowest_share(1.0, 0.5, 1.0) == pytest.approx(0.5)
    assert lowest_share(1.0, 0.9, 1.2) == pytest.approx(0.375)
    assert lowest_share(1.0, 1.2, 1.3) == 0


def test_between_nodes_a_plane_stays_a_plane():
    nodes = np.arange(6)[:, None] * 0.3 - np.arange(3) * 0.2
    canvas = torch.ones(1, 370, 150, dtype=torch.complex64)
    NodePhase(nodes, 75.0).turn(canvas)
    y, x = torch.arange(370)[:, None], torch.arange(150)
    wanted = 0.3 / 75 * y - 0.2 / 75 * x
    angle = torch.polar(torch.ones_like(wanted), wanted)
    torch.testing.assert_close(canvas[0], angle, rtol=0, atol=1e-4)


def test_the_image_of_a_scan_is_better_for_it(monkeypatch):
    settings = SimulationConfig(n=32, patterns=250, step_px=3.0, object="dead_leaves", photons=1e6)
    scan, config = simulate(settings), Config(inference=InferenceConfig(checks=False))
    image = reconstruct(scan, None, config).object
    monkeypatch.setattr(convergence, "add_long_waves", lambda *_: None)
    without = reconstruct(scan, None, config).object
    assert phase_error(image, scan) < 0.8 * phase_error(without, scan)


def test_bad_pixels_say_nothing(scan, warped):
    good = np.ones((32, 32), dtype=bool)
    good[:, 10:13] = False
    rubbish = np.array(scan.patterns)
    rubbish[:, ~good] = 1e9
    masked = dataclasses.replace(scan, patterns=rubbish, mask=good)
    with torch.inference_mode():
        canvas = warped.clone()
        long_wave_phase(view_of(masked), canvas, EVERY).turn(canvas)
    assert left_over(canvas, scan) < 0.4 * left_over(warped, scan)
