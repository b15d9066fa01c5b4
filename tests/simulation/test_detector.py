import numpy as np
import pytest

from ptychopinn.config import SimulationConfig
from ptychopinn.errors import ConfigError
from ptychopinn.simulation import detector_mask, poisson_counts


def mask_of(seed=0, **settings):
    return detector_mask(SimulationConfig(**settings), np.random.default_rng(seed))


def test_without_faults_every_pixel_is_good():
    mask = mask_of()
    assert mask.shape == (64, 64)
    assert mask.dtype == bool
    assert mask.all()


@pytest.mark.parametrize("n", [16, 33, 64])
def test_the_gap_is_a_band_of_columns_beside_the_middle(n):
    mask = mask_of(n=n, gap_px=3)
    columns = np.flatnonzero(~mask.all(axis=0))
    assert len(columns) == 3
    assert (np.diff(columns) == 1).all()
    assert not mask[:, columns].any()
    assert n // 2 < columns[0] <= n // 2 + max(1, n // 16)


def test_dead_pixels_have_their_share():
    mask = mask_of(dead_fraction=0.05)
    assert (~mask).sum() == round(0.05 * 64 * 64)
    assert (mask_of(1, dead_fraction=0.05) != mask_of(2, dead_fraction=0.05)).any()


def test_a_gap_that_leaves_the_detector_is_refused():
    assert (~mask_of(gap_px=28)).sum() == 28 * 64
    with pytest.raises(ConfigError, match="gap_px: expected <= 28 for n = 64, got 29"):
        mask_of(gap_px=29)


@pytest.mark.parametrize("rate", [0.02, 3.0, 400.0, 3e6, 3e10])
def test_counts_have_the_mean_and_variance_of_their_rate(rate):
    counts = poisson_counts(np.full(40000, rate), np.random.default_rng(0)).astype(np.float64)
    assert abs(counts.mean() - rate) < 4 * np.sqrt(rate / 40000)
    spread = np.sqrt((2 + 1 / rate) / 40000)
    assert abs(((counts - rate) ** 2).mean() / rate - 1) < 4 * spread
    np.testing.assert_array_equal(counts, np.round(counts))


@pytest.mark.parametrize(
    ("rate", "dtype"),
    [(0.0, np.uint16), (60000.0, np.uint16), (1e5, np.uint32), (4e9, np.uint32), (1e10, np.uint64)],
)
def test_counts_take_the_smallest_type_that_holds_them(rate, dtype):
    counts = poisson_counts(np.full((2, 3), rate, dtype=np.float32), np.random.default_rng(0))
    assert counts.dtype == dtype
    assert counts.shape == (2, 3)
    assert abs(counts.astype(np.float64).mean() - rate) <= 6 * np.sqrt(rate)
