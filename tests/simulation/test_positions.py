from typing import get_args, get_type_hints

import numpy as np
import pytest
from scipy.spatial import cKDTree

from ptychopinn.config import SimulationConfig
from ptychopinn.simulation import POSITIONS, make_positions
from ptychopinn.simulation.positions import MARGIN_PX

KINDS = sorted(POSITIONS)


def laid_out(seed=0, **settings):
    return make_positions(SimulationConfig(**settings), np.random.default_rng(seed))


def nearest(positions):
    return cKDTree(positions).query(positions, k=2)[0][:, 1]


def test_every_kind_of_the_settings_is_there():
    assert set(POSITIONS) == set(get_args(get_type_hints(SimulationConfig)["scan"]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [32, 33])
@pytest.mark.parametrize("patterns", [1, 2, 97, 400])
def test_windows_lie_on_the_canvas_with_a_margin(kind, n, patterns):
    positions, (height, width) = laid_out(scan=kind, n=n, patterns=patterns)
    assert positions.shape == (patterns, 2)
    assert positions.dtype == np.float64
    first = np.floor(positions) - n // 2
    after = np.array([height, width]) - first - n
    assert first.min() == MARGIN_PX
    assert MARGIN_PX - 1 <= after.min() <= MARGIN_PX + 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", [2.5, 9.0])
def test_neighbours_are_a_step_apart(kind, step):
    positions, _ = laid_out(scan=kind, step_px=step, jitter_px=0.02 * step)
    assert nearest(positions).mean() == pytest.approx(step, rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_positions_coincide(kind):
    assert nearest(laid_out(scan=kind)[0]).min() > 0.4 * 6


@pytest.mark.parametrize("kind", KINDS)
def test_positions_fall_between_pixels(kind):
    fractions = laid_out(scan=kind)[0] % 1
    assert 0.2 < fractions.std() < 0.35


@pytest.mark.parametrize("kind", KINDS)
def test_the_scan_is_about_as_high_as_wide(kind):
    height, width = np.ptp(laid_out(scan=kind)[0], axis=0)
    assert height == pytest.approx(width, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides(kind):
    np.testing.assert_array_equal(laid_out(5, scan=kind)[0], laid_out(5, scan=kind)[0])
    assert np.abs(laid_out(5, scan=kind)[0] - laid_out(6, scan=kind)[0]).max() > 0.1


def test_a_raster_without_jitter_is_a_grid_read_row_by_row():
    positions, _ = laid_out(scan="raster", patterns=12, step_px=3.0, jitter_px=0.0, n=32)
    rows, columns = np.divmod(np.arange(12), 4)
    np.testing.assert_allclose(positions, np.stack([rows, columns], axis=1) * 3.0 + 20)


def test_jitter_has_its_standard_deviation():
    settings = {"scan": "raster", "patterns": 2500, "step_px": 10.0}
    moved = laid_out(jitter_px=0.7, **settings)[0] - laid_out(jitter_px=0.0, **settings)[0]
    assert moved.std(axis=0) == pytest.approx([0.7, 0.7], rel=0.06)


def test_the_spiral_turns_by_the_golden_angle():
    positions, _ = laid_out(scan="fermat", patterns=200)
    y, x = (positions - positions.mean(axis=0))[100:].T
    turns = np.diff(np.unwrap(np.arctan2(y, x))) % (2 * np.pi)
    np.testing.assert_allclose(np.median(turns), np.deg2rad(137.508), atol=0.01)
