"""Nothing that training sees is judged."""

import numpy as np
import pytest

from ptychopinn.config import SimulationConfig
from ptychopinn.errors import ConfigError
from ptychopinn.simulation import simulate
from ptychopinn.studies.split import TestPart, training_part


@pytest.fixture(scope="module")
def scan():
    settings = SimulationConfig(
        object="lines",
        probe="gaussian",
        defocus_rad=1,
        scan="raster",
        n=16,
        patterns=196,
        step_px=4,
    )
    return simulate(settings)


def test_no_window_of_training_reaches_the_judged_rows(scan):
    upper, test = training_part(scan), TestPart.of(scan)
    windows = np.floor(upper.positions_px[:, 0]).astype(int) - scan.n // 2
    seen = np.zeros(scan.canvas_shape[0], dtype=bool)
    for first in windows:
        seen[first : first + scan.n] = True
    judged = test.region.mask(scan.canvas_shape) * test.weight
    assert judged.any()
    assert not judged[seen].any()
    assert not seen[test.region.y[0] :].any()
    assert seen[test.region.y[0] - 1]


def test_halves_share_no_pattern(scan):
    upper, lower = training_part(scan), TestPart.of(scan).scan
    assert upper.n_patterns + lower.n_patterns == scan.n_patterns
    assert upper.positions_px[:, 0].max() < lower.positions_px[:, 0].min()


def test_light_is_where_the_lower_half_shone(scan):
    test = TestPart.of(scan)
    y, x = np.round(test.scan.positions_px).astype(int).T
    assert test.weight[y, x].mean() > 0.95
    assert not test.weight[: scan.n // 2].any()


def test_few_training_patterns_are_neighbours(scan):
    few = training_part(scan, 16)
    assert few.n_patterns == 16
    assert np.ptp(few.positions_px, axis=0).max() < 4 * 4 + 4
    assert {tuple(p) for p in few.positions_px} <= {
        tuple(p) for p in training_part(scan).positions_px
    }


def test_too_many_training_patterns(scan):
    with pytest.raises(ConfigError, match=r"found 98 patterns.*wanted 99"):
        training_part(scan, 99)


@pytest.mark.parametrize("count", [4, 9, 25])
def test_a_part_that_is_reconstructed_is_compact_and_as_dense(scan, count):
    part = TestPart.of(scan, count)
    assert part.scan.n_patterns == count
    side = np.sqrt(count)
    assert np.ptp(part.scan.positions_px, axis=0).max() < 4 * side + 4
    whole = TestPart.of(scan)
    assert {tuple(p) for p in part.scan.positions_px} <= {tuple(p) for p in whole.scan.positions_px}
    assert part.region == whole.region
    judged, light = part.region.mask(scan.canvas_shape) * part.weight, part.weight
    assert judged.sum() > 0.7 * light.sum()


def test_a_part_larger_than_the_half(scan):
    with pytest.raises(ConfigError, match=r"found 98 patterns.*wanted 99 to reconstruct"):
        TestPart.of(scan, 99)


def test_a_scan_too_small_to_be_split():
    tiny = simulate(SimulationConfig(probe="gaussian", scan="raster", n=32, patterns=4))
    with pytest.raises(ConfigError, match="make the scan larger"):
        TestPart.of(tiny)
