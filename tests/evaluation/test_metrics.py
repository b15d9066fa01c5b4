import json

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ptychopinn.errors import DataError, ShapeError
from ptychopinn.evaluation.metrics import complex_nrmse, measure

from .objects import complex_noise, make_object, texture

SHAPES = [(40, 40), (47, 62)]


def pair(shape):
    reference = make_object("both", shape)
    return reference + complex_noise(shape, 0.05), reference


@pytest.mark.parametrize("shape", SHAPES)
def test_amplitude_figures(shape):
    image, reference = pair(shape)
    found = measure(image, reference).amplitude
    a, b = np.abs(image), np.abs(reference)
    assert found.mae == pytest.approx(np.mean(np.abs(a - b)))
    assert found.mse == pytest.approx(np.mean((a - b) ** 2))
    assert found.rmse == pytest.approx(np.sqrt(np.mean((a - b) ** 2)))
    span = b.max() - b.min()
    assert found.psnr_db == pytest.approx(peak_signal_noise_ratio(b, a, data_range=span))
    assert found.ssim == pytest.approx(structural_similarity(b, a, data_range=span))
    assert 0.5 < found.ms_ssim < 1
    assert found.ms_ssim_scales == (2 if min(shape) < 44 else 3)


@pytest.mark.parametrize("shape", SHAPES)
def test_phase_figures(shape):
    reference = np.exp(0.4j * texture(shape))
    error = 0.1 * texture(shape, 1.0, seed=3)
    found = measure(reference * np.exp(1j * error), reference).phase
    true = 0.4 * texture(shape)
    true = true - np.angle(np.exp(1j * true).mean())
    assert found.mae == pytest.approx(np.mean(np.abs(error)))
    assert found.rmse == pytest.approx(np.sqrt(np.mean(error**2)))
    span = np.ptp(true)
    assert found.psnr_db == pytest.approx(10 * np.log10(span**2 / np.mean(error**2)))
    expected = structural_similarity(true, true + error, data_range=span)
    assert found.ssim == pytest.approx(expected)


@pytest.mark.parametrize("turn", [0.5, 3.0, -2.0])
def test_a_global_phase_of_both_images_changes_nothing(turn):
    image, reference = pair((50, 40))
    still = measure(image, reference).to_dict()
    turned = measure(image * np.exp(1j * turn), reference * np.exp(1j * turn)).to_dict()
    for part in ("amplitude", "phase"):
        assert turned[part] == pytest.approx(still[part], rel=1e-9)
    assert turned["phase_correlation"] == pytest.approx(still["phase_correlation"])


def test_phase_errors_are_wrapped():
    reference = np.full((20, 20), np.exp(3.1j))
    found = measure(reference * np.exp(0.2j), reference)
    assert found.phase.mae == pytest.approx(0.2)


def test_phase_correlation_is_pearson():
    shape = (31, 44)
    reference = np.exp(0.4j * texture(shape))
    image = np.exp(1j * (0.3 * texture(shape) + 0.2 * texture(shape, seed=5)))
    expected = np.corrcoef(np.angle(image).ravel(), np.angle(reference).ravel())[0, 1]
    assert 0.5 < expected < 0.95
    assert measure(image, reference).phase_correlation == pytest.approx(expected)
    assert measure(np.conj(reference), reference).phase_correlation == pytest.approx(-1)


def test_equal_images_are_perfect():
    _, reference = pair((48, 64))
    found = measure(reference, reference)
    for scores in (found.amplitude, found.phase):
        assert scores.rmse < 1e-15
        assert scores.psnr_db > 250
        assert scores.ssim == pytest.approx(1)
        assert scores.ms_ssim == pytest.approx(1)
    assert found.complex_nrmse == pytest.approx(0, abs=1e-15)
    assert found.phase_correlation == pytest.approx(1)


def test_complex_nrmse_is_one_minus_the_squared_correlation():
    image, reference = pair((30, 35))
    weight = np.random.default_rng(2).random((30, 35))
    dot = np.sum(weight * image * np.conj(reference))
    energies = np.sum(weight * np.abs(image) ** 2) * np.sum(weight * np.abs(reference) ** 2)
    expected = np.sqrt(1 - np.abs(dot) ** 2 / energies)
    assert complex_nrmse(image, reference, weight) == pytest.approx(expected)
    assert complex_nrmse((2 - 3j) * image, reference, weight) == pytest.approx(expected)


def test_complex_nrmse_at_its_ends():
    reference, weight = make_object("both", (16, 16)), np.ones((16, 16))
    assert complex_nrmse(1j * reference, reference, weight) == pytest.approx(0, abs=1e-12)
    assert complex_nrmse(0 * reference, reference, weight) == 1
    assert np.isnan(complex_nrmse(reference, 0 * reference, weight))


def test_weights_count_pixels_as_often_as_they_say():
    image, reference = pair((20, 22))
    weight = np.random.default_rng(6).integers(0, 4, size=(20, 22))
    found = measure(image, reference, weight.astype(float))
    often = weight.ravel()
    difference = np.repeat((np.abs(image) - np.abs(reference)).ravel(), often)
    assert found.amplitude.mae == pytest.approx(np.abs(difference).mean())
    assert found.amplitude.mse == pytest.approx((difference**2).mean())
    angles = np.repeat(np.angle(image * np.conj(reference)).ravel(), often)
    assert found.phase.mse == pytest.approx((angles**2).mean())


def test_garbage_without_weight_changes_nothing():
    image, reference = pair((50, 60))
    weight = np.zeros((50, 60))
    weight[8:44, 9:50] = 1
    clean = measure(image, reference, weight).to_dict()
    image, reference = (np.where(weight > 0, field, bad)
                        for field, bad in ((image, np.nan), (reference, 1e9j)))  # fmt: skip
    dirty = measure(image, reference, weight).to_dict()
    for part in ("amplitude", "phase"):
        assert dirty[part] == pytest.approx(clean[part], rel=1e-9)
    assert dirty["complex_nrmse"] == pytest.approx(clean["complex_nrmse"])


def test_a_pure_phase_object_has_no_amplitude_range():
    reference = make_object("phase", (30, 30)).astype(np.complex64)
    found = measure(reference * np.float32(1.01), reference)
    assert np.isnan([found.amplitude.psnr_db, found.amplitude.ssim, found.amplitude.ms_ssim]).all()
    assert found.amplitude.mae == pytest.approx(0.01, rel=1e-3)
    plain = found.to_dict()
    assert plain["amplitude"]["ssim"] is None
    assert plain["phase"]["ssim"] == pytest.approx(1)
    json.dumps(plain, allow_nan=False)


def test_a_flat_phase_has_no_correlation():
    reference = make_object("amplitude", (30, 30))
    assert np.isnan(measure(reference * 1.1, reference).phase_correlation)


def test_bad_input_is_refused():
    image, reference = pair((20, 20))
    with pytest.raises(ShapeError):
        measure(image[1:], reference)
    with pytest.raises(ShapeError):
        measure(np.abs(image), reference)
    with pytest.raises(ShapeError, match="larger region"):
        measure(image[:9], reference[:9])
    image[3, 4] = np.nan
    with pytest.raises(DataError, match=r"\(3, 4\)"):
        measure(image, reference)
