import numpy as np
import pytest

from ptychopinn.report.colour import complex_colours

PHASES = np.linspace(-np.pi, np.pi, 181)


def oklab_lightness(rgb):
    """The forward transform of the OKLab publication, written independently of the inverse."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    return np.cbrt(linear @ to_cones.T) @ [0.2104542553, 0.7936177850, -0.0040720468]


@pytest.mark.parametrize("modulus", [0.25, 0.5, 1.0])
def test_lightness_is_the_modulus_whatever_the_phase(modulus):
    light = oklab_lightness(complex_colours(np.full(181, modulus), PHASES))
    np.testing.assert_allclose(light, 0.76 * modulus, atol=2e-3)


def test_zero_is_black_and_more_than_one_is_one():
    np.testing.assert_array_equal(complex_colours(np.zeros(3), np.array([0.0, 1.0, 2.0])), 0)
    np.testing.assert_array_equal(complex_colours(7.0, 1.0), complex_colours(1.0, 1.0))


def test_hue_follows_the_phase():
    red, green, cyan, blue = complex_colours(np.ones(4), np.array([0, 2.2, np.pi, -1.6]))
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert cyan.argmin() == 0
    assert blue.argmax() == 2
    np.testing.assert_allclose(complex_colours(1.0, -np.pi), complex_colours(1.0, np.pi))
