import json

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from ptychopinn.errors import ShapeError
from ptychopinn.evaluation.metrics import measure
from ptychopinn.evaluation.paper import paper_metrics, remove_plane

from .objects import complex_noise, make_object, texture

SHAPE = (41, 56)


def plane(a, b, c):
    y, x = np.indices(SHAPE)
    return a * y + b * x + c


def without_plane(phase):
    """Least squares through the normal equations of centred coordinates."""
    y, x = np.indices(SHAPE)
    y, x = y - y.mean(), x - x.mean()
    return (
        phase
        - phase.mean()
        - (phase * y).sum() / (y * y).sum() * y
        - (phase * x).sum() / (x * x).sum() * x
    )


def test_amplitude_figures():
    reference = make_object("both", SHAPE)
    image = 3.1 * reference + complex_noise(SHAPE, 0.2)
    found = paper_metrics(image, reference).amplitude
    a, b = np.abs(image), np.abs(reference)
    a = a * b.mean() / a.mean()
    mse = np.mean((a - b) ** 2)
    assert found.mae == pytest.approx(np.mean(np.abs(a - b)))
    assert found.mse == pytest.approx(mse)
    assert found.psnr_db == pytest.approx(10 * np.log10(1 / mse) + 48.1308, abs=1e-3)
    assert found.ssim == pytest.approx(structural_similarity(a, b, data_range=b.max() - b.min()))


def test_phase_figures():
    true = 0.4 * texture(SHAPE) + plane(0.01, -0.008, 0.05)
    error = 0.1 * texture(SHAPE, 1.0, seed=3)
    found = paper_metrics(np.exp(1j * (true + error)), np.exp(1j * true)).phase
    a, b = without_plane(true + error), without_plane(true)
    mse = np.mean((a - b) ** 2)
    assert found.mae == pytest.approx(np.mean(np.abs(a - b)))
    assert found.mse == pytest.approx(mse)
    assert found.psnr_db == pytest.approx(20 * np.log10(255 / np.sqrt(mse)))
    mapped = [(phase + np.pi) / (2 * np.pi) for phase in (a, b)]
    assert found.ssim == pytest.approx(structural_similarity(*mapped, data_range=1.0))


def test_a_scale_a_turn_and_a_plane_cost_nothing():
    reference = make_object("both", SHAPE)
    image = 0.2 * reference * np.exp(1j * plane(0.02, -0.015, 3.0))
    found = paper_metrics(image, reference)
    assert found.amplitude.mse == pytest.approx(0, abs=1e-25)
    assert found.phase.mse == pytest.approx(0, abs=1e-25)
    assert found.amplitude.ssim == pytest.approx(1)
    assert found.phase.ssim == pytest.approx(1)


def test_remove_plane_fits_under_the_weight_only():
    weight = np.zeros(SHAPE)
    weight[5:30, 8:50] = np.random.default_rng(0).random((25, 42))
    values = plane(0.3, -0.2, 5.0) + np.where(weight > 0, 0, 1e6)
    assert np.abs(remove_plane(values, weight)[weight > 0]).max() < 1e-9


def test_figures_of_the_two_kinds_differ():
    """The two PSNRs of a weak object differ by its range; its SSIM is flattered by 2 pi."""
    reference = make_object("weak_phase", SHAPE)
    image = np.exp(0.05j * texture(SHAPE, seed=9))
    paper, ours = paper_metrics(image, reference), measure(image, reference)
    assert paper.phase.ssim > 0.9
    assert ours.phase.ssim < 0.3


def test_garbage_without_weight_changes_nothing():
    reference = make_object("both", SHAPE)
    image = reference + complex_noise(SHAPE, 0.1)
    weight = np.zeros(SHAPE)
    weight[5:35, 6:50] = 1
    clean = paper_metrics(image, reference, weight).to_dict()
    dirty = paper_metrics(np.where(weight > 0, image, np.nan), reference, weight).to_dict()
    for part in ("amplitude", "phase"):
        assert dirty[part] == pytest.approx(clean[part], rel=1e-9)


def test_equal_images_and_plain_values():
    reference = make_object("both", SHAPE)
    plain = paper_metrics(reference, reference).to_dict()
    assert plain["amplitude"]["psnr_db"] is None
    assert plain["phase"]["ssim"] == pytest.approx(1)
    json.dumps(plain, allow_nan=False)


def test_shapes_are_checked():
    reference = make_object("both", SHAPE)
    with pytest.raises(ShapeError):
        paper_metrics(reference[1:], reference)
