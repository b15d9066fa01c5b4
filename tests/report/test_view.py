import tracemalloc

import numpy as np
import pytest

from ptychopinn.report.view import View, block_sum, covered_box, largest


def lit(shape, rows, columns, level=1.0):
    coverage = np.zeros(shape, dtype=np.float32)
    coverage[slice(*rows), slice(*columns)] = level
    return coverage


def test_box_holds_all_covered_pixels_and_a_margin():
    coverage = lit((300, 400), (50, 150), (100, 300))
    # 2 % of 200 px on each side.
    assert covered_box(coverage, 0.5) == (slice(46, 154), slice(96, 304))


def test_margin_is_at_least_two_pixels_and_ends_with_the_canvas():
    coverage = lit((40, 30), (1, 20), (10, 30))
    assert covered_box(coverage, 0.5) == (slice(0, 22), slice(8, 30))


def test_box_ignores_coverage_below_the_threshold_and_infinity():
    coverage = lit((100, 100), (40, 60), (40, 60))
    coverage[5, 5], coverage[90, 90], coverage[95, 1] = 0.4, np.inf, np.nan
    assert covered_box(coverage, 0.5) == (slice(38, 62), slice(38, 62))


def test_box_is_the_canvas_when_nothing_is_covered():
    assert covered_box(np.zeros((7, 9)), 0.0) == (slice(0, 7), slice(0, 9))


def test_box_spans_strips():
    coverage = lit((1000, 20), (100, 900), (3, 17))
    assert covered_box(coverage, 0.5) == (slice(84, 916), slice(0, 20))


def test_largest_skips_what_is_not_finite():
    values = np.full((600, 3), -1.0)
    assert largest(values) == 0.0
    values[500, 1], values[0, 0], values[1, 1] = 7.0, np.inf, np.nan
    assert largest(values) == 7.0


@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_block_sums_equal_loops(factor):
    values = np.random.default_rng(0).normal(size=(11, 16))
    wanted = [
        [values[y : y + factor, x : x + factor].sum() for x in range(0, 16, factor)]
        for y in range(0, 11, factor)
    ]
    np.testing.assert_allclose(block_sum(values, factor), wanted)


@pytest.mark.parametrize(
    ("most_px", "factor", "shape"), [(2000, 1, (530, 700)), (100, 7, (76, 100))]
)
def test_view_reduces_to_what_fits(most_px, factor, shape):
    view = View.of(np.ones((530, 700)), most_px)
    assert (view.factor, view.shape) == (factor, shape)
    assert view.extent == (-0.5, shape[1] * factor - 0.5, shape[0] * factor - 0.5, -0.5)


def test_extent_is_in_canvas_pixels_after_cropping():
    view = View.of(lit((300, 400), (50, 150), (100, 300)), 2000)
    assert view.extent == (95.5, 303.5, 153.5, 45.5)


def test_mean_equals_loops_over_strips():
    rng = np.random.default_rng(1)
    canvas = rng.normal(size=(521, 33)) + 1j * rng.normal(size=(521, 33))
    view = View.of(np.ones(canvas.shape), 200)
    assert view.factor == 3
    wanted = [
        [np.abs(canvas[y : y + 3, x : x + 3]).mean() for x in range(0, 33, 3)]
        for y in range(0, 521, 3)
    ]
    np.testing.assert_allclose(view.mean(canvas, np.abs), wanted)


@pytest.mark.filterwarnings("error")
def test_mean_leaves_out_what_is_not_finite():
    canvas = np.arange(16.0).reshape(4, 4)
    canvas[0, 0], canvas[0, 1], canvas[2:, 2:] = np.inf, -np.inf, np.nan
    view = View.of(np.ones((4, 4)), 2)
    np.testing.assert_allclose(view.mean(canvas), [[4.5, 4.5], [10.5, np.nan]])


def test_thresholds_are_shares_of_the_largest_illumination():
    coverage = np.full((10, 10), 8.0)
    coverage[2, 2], coverage[3, 3], coverage[4, 4] = 0.15, 0.3, 0.5
    view = View.of(coverage, 100)
    places = ([2, 3, 4, 5], [2, 3, 4, 5])
    assert view.shown[places].tolist() == [False, True, True, True]
    assert view.well_covered[places].tolist() == [False, False, True, True]
    values = view.mean(np.ones((10, 10)))
    assert np.isnan(values[2, 2])
    assert np.isfinite(values).sum() == 99


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, np.nan, -1.0])
def test_canvas_without_light_is_shown_whole_and_unknown(value):
    view = View.of(np.full((6, 8), value), 100)
    assert view.shape == (6, 8)
    assert not view.shown.any()
    assert np.isnan(view.mean(np.ones((6, 8)))).all()


def test_view_stays_within_a_region():
    view = View.of(np.ones((100, 100)), 100, (slice(20, 50), slice(60, 90)))
    assert view.box == (slice(20, 50), slice(60, 90))
    values = view.mean(np.arange(10_000.0).reshape(100, 100))
    assert (values[0, 0], values[-1, -1]) == (2060, 4989)


def test_large_canvas_is_never_copied_whole():
    canvas = np.ones((3000, 3000), dtype=np.complex64)
    coverage = np.ones((3000, 3000), dtype=np.float32)
    tracemalloc.start()
    view = View.of(coverage, 300)
    view.mean(canvas, np.abs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < canvas.nbytes / 3
