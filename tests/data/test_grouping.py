import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ptychopinn.data.grouping import group_patterns
from ptychopinn.errors import DataError

POSITIONS = np.random.default_rng(0).uniform(0, 100, (60, 2))


def draw(size, count, **options):
    return group_patterns(POSITIONS, size, count, rng=np.random.default_rng(1), **options)


@pytest.mark.parametrize("size", [1, 2, 4, 9])
def test_nearest_neighbours_by_brute_force(size):
    groups = draw(size, 60)
    assert groups.indices.shape == (60, size)
    nearest = np.argsort(cdist(POSITIONS, POSITIONS), axis=1)[:, :size]
    for row in groups.indices:
        assert set(row) == set(nearest[row[0]])
    assert sorted(groups.indices[:, 0]) == list(range(60))


def test_drawn_from_the_k_nearest_without_repeats():
    groups = draw(4, 240, neighbours=8)
    nearest = np.argsort(cdist(POSITIONS, POSITIONS), axis=1)[:, :9]
    for row in groups.indices:
        assert len(set(row)) == 4
        assert set(row) <= set(nearest[row[0]])
    different = {tuple(sorted(row)) for row in groups.indices}
    assert len(different) > 150


def test_more_groups_than_patterns_use_every_pattern_evenly():
    groups = draw(3, 150)
    centres = np.bincount(groups.indices[:, 0], minlength=60)
    assert centres.min() == 2
    assert centres.max() == 3


def test_never_across_scans():
    labels = np.arange(60) % 2
    groups = draw(4, 120, neighbours=7, scan_index=labels)
    assert (labels[groups.indices] == labels[groups.indices[:, :1]]).all()
    near = np.argsort(cdist(POSITIONS[labels == 0], POSITIONS[labels == 0]), axis=1)[:, :8]
    even = np.flatnonzero(labels == 0)
    for row in groups.indices[labels[groups.indices[:, 0]] == 0]:
        assert set(row) <= set(even[near[np.searchsorted(even, row[0])]])


def test_identical_positions_still_give_distinct_patterns():
    positions = np.concatenate([np.zeros((6, 2)), np.ones((2, 2))])
    groups = group_patterns(positions, 3, 8, rng=np.random.default_rng(0))
    assert all(len(set(row)) == 3 for row in groups.indices)


def test_extent_covers_every_window():
    groups = draw(5, 60)
    whole = np.floor(POSITIONS)[groups.indices]
    assert groups.extent_px == (whole.max(1) - whole.min(1)).max()


def test_same_seed_same_groups():
    np.testing.assert_array_equal(
        draw(4, 90, neighbours=9).indices, draw(4, 90, neighbours=9).indices
    )


def test_too_few_patterns():
    with pytest.raises(DataError, match=r"found 60 patterns.*group size 61.*--group-size 60"):
        draw(61, 60)
