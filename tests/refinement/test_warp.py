import numpy as np
import pytest
import torch

from ptychopinn.physics.linearised import PatternEquations
from ptychopinn.refinement.warp import Warp, warp_asked, warped_object

RNG = np.random.default_rng(0)
PLACES = RNG.uniform(20, 120, (60, 2))


def warp(degree, coefficients=None):
    count = (degree + 1) * (degree + 2) // 2 - 1
    if coefficients is None:
        coefficients = np.random.default_rng(1).normal(0, 0.3, (2, count))
    return Warp(PLACES.mean(axis=0), 55.0, degree, np.asarray(coefficients))


def answers(wanted, moved=0.0):
    """Equations of patterns that each see the slopes of a warp at their places, and a move."""
    step = 1e-4
    columns = [
        (wanted.at(PLACES + step * unit) - wanted.at(PLACES - step * unit)) / (2 * step)
        for unit in np.eye(2)
    ]
    seen = np.concatenate([np.stack(columns, axis=-1).reshape(-1, 4), moved + 0 * PLACES], axis=1)
    root = RNG.normal(size=(len(PLACES), 30, 6))
    normal = np.einsum("kai,kaj->kij", root, root)
    gradient = np.einsum("kij,kj->ki", normal, seen)
    misfit = np.einsum("ki,ki->k", gradient, seen)
    return PatternEquations(gradient, normal, misfit)


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("moved", [0.0, 0.7])
def test_a_warp_is_found_wherever_its_patterns_stand(degree, moved):
    wanted = warp(degree)
    found, share = warp_asked(PLACES, answers(wanted, moved), degree)
    away = found.at(PLACES) - wanted.at(PLACES)
    assert np.abs(away - away.mean(axis=0)).max() < 0.03 * np.abs(wanted.at(PLACES)).max()
    if not moved:
        assert 0.8 < share <= 1  # moves would explain a part of it too


def test_patterns_that_were_not_asked_have_no_say():
    wanted = warp(2)
    asked = answers(wanted)
    for rows in asked:
        rows[::3] = 0
    found, _ = warp_asked(PLACES, asked, 2)
    away = found.at(PLACES) - wanted.at(PLACES)
    assert np.abs(away - away.mean(axis=0)).max() < 0.01


def test_an_affine_warp_moves_straight_lines_to_straight_lines():
    found, _ = warp_asked(PLACES, answers(warp(3)), 1)
    ends = np.array([[10.0, 20.0], [90.0, 140.0]])
    middle = found.at(ends.mean(axis=0))
    np.testing.assert_allclose(middle, found.at(ends).mean(axis=0))


def test_no_place_moves_farther_than_it_may():
    strong = warp(3)
    longest = np.linalg.norm(strong.at(PLACES), axis=1).max()
    weak = strong.no_longer_than(0.1, PLACES)
    np.testing.assert_allclose(weak.at(PLACES), strong.at(PLACES) * 0.1 / longest)
    assert np.array_equal(
        strong.no_longer_than(2 * longest, PLACES).coefficients, strong.coefficients
    )


def test_an_object_is_read_where_the_warp_points():
    """A smooth wave, whose value everywhere is known."""
    height, width = 90, 120
    bent = Warp(np.array([45.0, 60.0]), 60.0, 2, np.array([[2.0, 1, 0, 0.5, 0], [0, -1, 1, 0, 2]]))

    def wave(places):
        return np.exp(0.1j * places[..., 0] - 0.07j * places[..., 1])

    places = np.moveaxis(np.mgrid[:height, :width].astype(float), 0, -1)
    canvas = torch.from_numpy(wave(places).astype(np.complex64))[None]
    found = warped_object(canvas, bent)[0].numpy()
    wanted = wave(places + bent.at(places))
    inner = slice(8, -8)
    assert np.abs(found - wanted)[inner, inner].max() < 0.01
    still = warped_object(canvas, warp(1, np.zeros((2, 2))))
    torch.testing.assert_close(still, canvas, rtol=0, atol=1e-4)
