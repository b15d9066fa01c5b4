import numpy as np
import pytest

from ptychopinn.data.region import select_region
from ptychopinn.errors import ConfigError, DataError
from tests.conftest import make_scan

SCAN = make_scan(16)
Y, X = SCAN.positions_px.T


@pytest.mark.parametrize(
    ("region", "inside"),
    [
        ("all", Y > -1),
        ("top", (Y.min() + Y.max()) / 2 > Y),
        ("bottom", (Y.min() + Y.max()) / 2 <= Y),
        ("left", (X.min() + X.max()) / 2 > X),
        ("right", (X.min() + X.max()) / 2 <= X),
        ("y:0:20", Y < 20),
        ("y:15:30,x:20:", (Y >= 15) & (Y < 30) & (X >= 20)),
        ("x::25.5", X < 25.5),
    ],
)
def test_regions(region, inside):
    np.testing.assert_array_equal(select_region(SCAN, region), np.flatnonzero(inside))


def test_halves_are_disjoint_and_complete():
    for pair in (("top", "bottom"), ("left", "right")):
        both = np.concatenate([select_region(SCAN, region) for region in pair])
        assert sorted(both) == list(range(SCAN.n_patterns))


def test_random_share():
    chosen = select_region(SCAN, "random:0.5", seed=3)
    assert len(chosen) == round(0.5 * SCAN.n_patterns)
    np.testing.assert_array_equal(chosen, select_region(SCAN, "random:0.5", seed=3))
    assert set(chosen) != set(select_region(SCAN, "random:0.5", seed=4))


@pytest.mark.parametrize(
    "region", ["tpo", "y:0", "z:0:4", "y:a:4", "random", "random:2", "y:0:3:4"]
)
def test_nonsense_is_refused(region):
    with pytest.raises(ConfigError, match=r"data\.region"):
        select_region(SCAN, region)


def test_an_empty_region_says_where_the_positions_are():
    with pytest.raises(DataError, match="holds no pattern; the positions run from y = "):
        select_region(SCAN, "y:1000:2000")
