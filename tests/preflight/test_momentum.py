"""Mean momenta of patterns: exact in themselves, and a gradient in the right orientation."""

import numpy as np
import pytest

from ptychopinn.preflight.momentum import gradient_misfit, mean_momenta, momenta_of
from ptychopinn.symmetry import ORIENTATIONS
from tests.preflight.scans import simulated, with_patterns_turned


@pytest.fixture(scope="module")
def scan():
    return simulated()


def test_momentum_of_a_single_bright_pixel():
    counts = np.zeros((3, 8, 8))
    counts[0, 4, 4] = counts[1, 7, 2] = 5
    found = momenta_of(counts)
    np.testing.assert_array_equal(found[:2], [[0, 0], [3, -2]])
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_the_right_class_has_a_gradient(scan, name):
    turned = with_patterns_turned(scan, ORIENTATIONS[name])
    momenta = mean_momenta(turned, np.arange(scan.n_patterns))
    found = gradient_misfit(scan.positions_px, momenta)
    back = ORIENTATIONS[name].inverse
    assert found.of(back) == min(found.misfit.values()) < 0.1
    assert sorted(found.misfit.values())[1] > 4 * found.of(back)
    assert ORIENTATIONS[found.best] in (back, ORIENTATIONS["rot180"].after(back))


def test_a_field_that_turns_about_is_no_gradient():
    rng = np.random.default_rng(0)
    places = rng.uniform(-1, 1, (200, 2))
    turning = np.stack([-places[:, 1], places[:, 0]], axis=1)
    found = gradient_misfit(places, turning)
    assert found.misfit["stored"] > 0.5
    assert found.best == "rot90"
    assert found.misfit["rot90"] < 1e-3


def test_positions_on_a_line_tell_nothing():
    places = np.stack([np.arange(20.0), np.zeros(20)], axis=1)
    assert gradient_misfit(places, np.ones((20, 2))) is None
