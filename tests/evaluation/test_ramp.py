import numpy as np
import pytest

from ptychopinn.evaluation.ramp import estimate_ramp, phase_ramp

from .objects import complex_noise, cycles_to_rad_per_px, inner, make_object, ramp_field


def test_phase_ramp():
    assert np.allclose(phase_ramp((6, 9), (0.2, -0.5)), ramp_field((6, 9), (0.2, -0.5)))


@pytest.mark.parametrize("shape", [(64, 64), (51, 80)])
@pytest.mark.parametrize("kind", ["phase", "diffuser", "amplitude"])
@pytest.mark.parametrize("cycles", [(0, 0), (0.25, -0.25), (0.5, 0.5), (2, -1.7), (-7.3, 5.6)])
def test_a_ramp_is_found_however_often_it_wraps(shape, kind, cycles):
    reference = make_object(kind, shape)
    wanted = cycles_to_rad_per_px(shape, cycles)
    image = 1.7 * np.exp(2.9j) * reference * ramp_field(shape, wanted)
    assert estimate_ramp(image, reference, np.ones(shape)) == pytest.approx(wanted, abs=1e-7)


def test_a_ramp_is_found_under_noise_and_garbage():
    shape, wanted = (60, 75), (0.11, -0.07)
    reference = make_object("phase", shape)
    image = reference * ramp_field(shape, wanted) + complex_noise(shape, 0.5)
    weight = inner(shape, 8)
    image = np.where(weight > 0, image, 50 * complex_noise(shape, 1.0, seed=1))
    assert estimate_ramp(image, reference, weight) == pytest.approx(wanted, abs=2e-3)


def test_the_ramp_is_the_least_squares_answer():
    shape = (40, 46)
    reference = make_object("both", shape)
    image = reference * ramp_field(shape, (0.1, 0.05)) + complex_noise(shape, 0.7)
    weight = np.random.default_rng(3).random(shape)
    found = np.array(estimate_ramp(image, reference, weight))
    product = weight * np.conj(reference) * image

    def agreement(ramp):
        return abs(np.sum(product * np.conj(ramp_field(shape, ramp))))

    best = agreement(found)
    for step in (1e-5, -1e-5):
        assert agreement(found + np.array([step, 0])) < best
        assert agreement(found + np.array([0, step])) < best


def test_no_light_no_ramp():
    nothing = np.zeros((12, 12), dtype=complex)
    assert estimate_ramp(nothing, nothing + 1, np.ones((12, 12))) == (0.0, 0.0)
