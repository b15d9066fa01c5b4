import numpy as np
import pytest

from ptychopinn.data.compact import SPREAD, Compact, covered_px


def raster(side, step):
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1)
    return grid.reshape(-1, 2) * step


def scattered(count):
    return np.random.default_rng(0).integers(0, 3000, (count, 2))


def spiral(count):
    turn = np.arange(count) * 2.399963
    radius = 20 * np.sqrt(np.arange(count))[:, None]
    return (1500 + radius * np.stack([np.sin(turn), np.cos(turn)], axis=1)).astype(np.int64)


def area(corners, n):
    return int(np.prod(np.ptp(corners, axis=0) + n))


def truly_covered(corners, n):
    seen = np.zeros(corners.max(axis=0) + n, dtype=bool)
    for y, x in corners:
        seen[y : y + n, x : x + n] = True
    return int(seen.sum())


@pytest.mark.parametrize("n", [1, 2, 7, 32, 33])
def test_never_more_is_said_to_be_covered_than_is(n):
    for corners in (scattered(1), scattered(50), raster(5, 3)):
        counted, true = covered_px(corners, n), truly_covered(corners, n)
        assert true / SPREAD <= counted <= true


@pytest.mark.parametrize("batch_size", [1, 40, 500, 10_000])
@pytest.mark.parametrize("corners", [raster(50, 9), scattered(500), spiral(2000), raster(1, 1)])
def test_rectangles_are_bounded_by_what_their_windows_cover(corners, batch_size):
    batches = Compact(32).cut(corners, batch_size)
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(len(corners)))
    for batch in batches:
        assert len(batch) <= batch_size
        assert area(corners[batch], 32) <= SPREAD * truly_covered(corners[batch], 32)


def test_a_raster_makes_batches_that_are_well_filled():
    corners = raster(100, 10)
    batches = Compact(64).cut(corners, 512)
    assert len(batches) <= 2 * len(corners) / 512 + 1
    whole = area(corners, 64)
    assert max(area(corners[batch], 64) for batch in batches) < 0.13 * whole


def test_no_rectangle_is_larger_than_allowed():
    corners = raster(40, 10)
    batches = Compact(32, most_px=60 * 60).cut(corners, 4096)
    assert max(area(corners[batch], 32) for batch in batches) <= 60 * 60
    alone = Compact(32, most_px=1).cut(corners, 4096)
    assert [len(batch) for batch in alone] == [1] * len(corners)


def test_windows_at_one_place_are_parted_by_number_alone():
    batches = Compact(8).cut(np.full((10, 2), 5), 4)
    assert max(map(len, batches)) <= 4
    assert Compact(8).cut(np.empty((0, 2), dtype=np.int64), 4) == []
