import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.physics.gauge import remove_global_phase, scale_probe
from tests.conftest import smooth_probe


@pytest.mark.parametrize("photons", [1e3, 1e6, 1e12])
def test_power_becomes_the_counts(photons):
    probe, factor = scale_probe(smooth_probe(16, 3) * 1e-4, photons)
    assert (np.abs(probe.astype(complex)) ** 2).sum() == pytest.approx(photons, rel=1e-5)
    np.testing.assert_allclose(probe, smooth_probe(16, 3) * 1e-4 * factor, rtol=1e-5)


@pytest.mark.parametrize(
    ("probe", "counts", "word"),
    [
        (np.zeros((1, 4, 4), complex), 5.0, "probe"),
        (np.ones((1, 4, 4), complex), 0.0, "patterns"),
        (np.full((1, 4, 4), np.nan + 0j), 5.0, "probe"),
        (np.ones((1, 4, 4), complex), np.nan, "patterns"),
    ],
)
def test_nothing_to_scale_is_refused(probe, counts, word):
    with pytest.raises(DataError, match=word):
        scale_probe(probe, counts)


def test_global_phase():
    rng = np.random.default_rng(0)
    image = 1 + 0.1 * (rng.normal(size=(5, 6)) + 1j * rng.normal(size=(5, 6)))
    weight = rng.uniform(size=(5, 6))
    turned = remove_global_phase(image * np.exp(2.5j), weight)
    assert np.angle((weight * turned).sum()) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(turned, remove_global_phase(image, weight), atol=1e-12)
    dark = np.zeros((5, 6), complex)
    assert remove_global_phase(dark, weight) is dark
