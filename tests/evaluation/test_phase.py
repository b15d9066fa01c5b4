import numpy as np
import pytest

from ptychopinn.evaluation.phase import comparable_phases

from .objects import make_object, texture


@pytest.mark.parametrize("turn", [0.0, 1.0, 3.1, -2.4])
def test_a_global_phase_of_both_changes_nothing_up_to_a_constant(turn):
    shape = (30, 41)
    reference = make_object("phase", shape)
    image = reference * np.exp(0.2j * texture(shape, seed=4))
    found, expected = comparable_phases(image * np.exp(1j * turn), reference * np.exp(1j * turn),
                                        np.ones(shape))  # fmt: skip
    assert np.allclose(found - expected, 0.2 * texture(shape, seed=4))
    unwrapped = 0.8 * texture(shape)
    constant = np.angle(np.exp(1j * unwrapped).mean())
    inside = np.abs(unwrapped - constant) < np.pi
    assert np.allclose(expected[inside], (unwrapped - constant)[inside])


def test_the_difference_is_wrapped():
    image, reference = np.array([[np.exp(3.0j)]]), np.array([[np.exp(-3.0j)]])
    found, expected = comparable_phases(image, reference, np.ones((1, 1)))
    assert (found - expected)[0, 0] == pytest.approx(6.0 - 2 * np.pi)
