from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch

from ptychopinn.config import SimulationConfig
from ptychopinn.errors import ConfigError
from ptychopinn.physics.fourier import fourier
from ptychopinn.physics.probe import probes_at
from ptychopinn.simulation import PROBES, make_probe, spot_diameter
from ptychopinn.simulation.probes import _random_aberrations, _zernikes

KINDS = sorted(PROBES)


def made(seed=0, **settings):
    return make_probe(SimulationConfig(**settings), np.random.default_rng(seed))


def rim_share(modes, share):
    """Share of the light outside a centred square of this share of the side."""
    n = modes.shape[-1]
    distance = np.abs(np.arange(n) - n // 2)
    light = (np.abs(modes) ** 2).sum(axis=0)
    return light[np.maximum(distance[:, None], distance) > share * n / 2].sum() / light.sum()


def far_field(modes):
    return fourier(torch.from_numpy(modes)).numpy()


def test_every_kind_of_the_settings_is_there():
    assert set(PROBES) == set(get_args(get_type_hints(SimulationConfig)["probe"]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [64, 65])
@pytest.mark.parametrize("modes", [1, 3, 7])
def test_modes_are_orthogonal_with_decaying_power(kind, n, modes):
    probe = made(probe=kind, n=n, modes=modes, photons=2.5e5)
    assert probe.shape == (modes, n, n)
    assert probe.dtype == np.complex64
    flat = probe.reshape(modes, -1).astype(np.complex128)
    gram = flat.conj() @ flat.T
    powers = 3.0 ** -np.arange(modes)
    expected = np.diag(powers / powers.sum()) * 2.5e5
    np.testing.assert_allclose(gram, expected, atol=2.5e5 * 1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [33, 64, 128])
@pytest.mark.parametrize("size", [0.35, 0.5])
def test_the_spot_has_the_size_that_was_asked_for(kind, n, size):
    probe = made(probe=kind, n=n, probe_size=size)
    assert spot_diameter(probe[0]) == pytest.approx(size * n, rel=0.04)


@pytest.mark.parametrize("kind", KINDS)
def test_the_spot_is_centred_on_the_middle_pixel(kind):
    for n in (64, 65):
        light = np.abs(made(probe=kind, n=n)[0]) ** 2
        axis = np.arange(n) - n // 2
        centre = [(light.sum(axis=side) * axis).sum() / light.sum() for side in (1, 0)]
        np.testing.assert_allclose(centre, 0, atol=0.05)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("modes", [1, 6])
def test_light_stays_inside_the_window_and_the_band(kind, modes):
    probe = made(probe=kind, modes=modes)
    assert rim_share(probe, 0.9) < 1e-4
    assert rim_share(far_field(probe), 0.9) < 1e-4


def test_spot_diameter_of_a_known_disk():
    y, x = np.mgrid[:101, :101] - 50.0
    disk = (np.hypot(y - 7, x + 4) < 30).astype(complex)
    assert spot_diameter(disk) == pytest.approx(2 * 30 * np.sqrt(0.9), rel=0.01)


def test_a_subpixel_shift_of_the_gaussian_is_the_gaussian_elsewhere():
    n, size, defocus = 48, 0.35, 2.0
    probe = made(probe="gaussian", n=n, probe_size=size, defocus_rad=defocus, photons=1.0)
    moved = probes_at(torch.from_numpy(probe), torch.tensor([0.3, 0.8])).numpy()[0]
    y, x = np.mgrid[:n, :n] - n // 2 - np.array([0.3, 0.8])[:, None, None]
    squared = (y**2 + x**2) / (size * n / 2) ** 2
    expected = 10 ** (-squared / 2) * np.exp(1j * defocus * squared)
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(moved, expected, atol=1e-3 * np.abs(expected).max())


def test_the_central_stop_darkens_the_middle_of_the_far_field():
    centre = {}
    for stop in (0.0, 0.4):
        light = np.abs(far_field(made(central_stop=stop))[0]) ** 2
        centre[stop] = light[32, 32] / light.max()
    assert centre[0.4] < 0.05
    assert centre[0.0] > 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_defocus_bends_the_phase(kind):
    flat = made(probe=kind, defocus_rad=0.0)[0]
    light = np.abs(flat) > 0.5 * np.abs(flat).max()
    assert np.ptp(np.angle(flat[light] / flat[32, 32])) < 0.1
    bent = made(probe=kind, defocus_rad=5.0)[0]
    assert np.std(np.angle(bent[light] / bent[32, 32])) > 0.5


def test_aberrations_are_random_and_break_the_symmetry():
    def asymmetry(probe):
        light = np.abs(probe[0, 1:, 1:]) ** 2
        return np.abs(light - np.rot90(light)).sum() / light.sum()

    assert asymmetry(made(aberration_rad=0.0)) < 1e-3
    assert asymmetry(made(aberration_rad=0.8)) > 0.1
    assert np.abs(made(1, aberration_rad=0.8) - made(2, aberration_rad=0.8)).max() > 1
    np.testing.assert_array_equal(made(1, aberration_rad=0.8), made(1, aberration_rad=0.8))


def test_aberrations_have_the_root_mean_square_that_was_asked_for():
    y, x = np.mgrid[-1:1:401j, -1:1:401j]
    inside = np.hypot(y, x) <= 1
    for seed in range(3):
        weights = _random_aberrations(0.7, np.random.default_rng(seed))
        phase = np.tensordot(weights, _zernikes(y, x), 1)[inside]
        assert np.sqrt(np.mean(phase**2)) == pytest.approx(0.7, rel=0.02)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probe": "gaussian", "probe_size": 0.9}, "well inside the window"),
        ({"probe": "disk", "probe_size": 1.0}, "well inside the window"),
        ({"probe": "disk", "defocus_rad": 60.0}, "64 pixels sample"),
        ({"probe": "zone_plate", "n": 16}, "weaker defocus or aberrations, or a larger n"),
        ({"probe": "zone_plate", "probe_size": 0.05}, "comes out as"),
        ({"n": 16, "modes": 33}, "found 33 incoherent modes, wanted 1 to 16"),
    ],
)
def test_impossible_probes_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        made(**settings)
