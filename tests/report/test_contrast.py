import numpy as np
import pytest

from ptychopinn.report.contrast import (
    amplitude_scale,
    difference_scale,
    ends_clipped,
    limits,
    phase_scale,
)

ALL = np.ones((10, 100), dtype=bool)


def test_limits_are_percentiles_of_what_counts():
    values = np.linspace(0, 1, 1000).reshape(10, 100)
    assert limits(values, ALL, 0) == pytest.approx((0.005, 0.995))
    counted = values < 0.5
    assert limits(values, counted, 0) == pytest.approx((0.0025, 0.4970), abs=1e-4)


def test_pixels_that_do_not_count_change_nothing():
    values = np.linspace(0, 1, 1000).reshape(10, 100)
    counted = values < 0.5
    wild = np.where(counted, values, 1e9)
    assert limits(wild, counted, 0) == limits(values, counted, 0)


def test_single_outliers_and_nan_change_next_to_nothing():
    values = np.linspace(0, 1, 1000).reshape(10, 100)
    spoilt = values.copy()
    spoilt[0, 50], spoilt[1, 50], spoilt[2, 50] = 1e9, -1e9, np.nan
    assert limits(spoilt, ALL, 0) == pytest.approx(limits(values, ALL, 0), abs=3e-3)


def test_constant_values_get_limits_around_them():
    assert limits(np.full((10, 100), 3.0), ALL, 0.5) == (2.75, 3.25)


def test_all_finite_values_count_when_none_is_well_covered():
    values = np.linspace(0, 1, 1000).reshape(10, 100)
    assert limits(values, ~ALL, 0) == limits(values, ALL, 0)


@pytest.mark.filterwarnings("error")
def test_nothing_finite_gives_zero_to_one():
    assert limits(np.full((10, 100), np.nan), ALL, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [(0, 1, "neither"), (0.1, 1, "min"), (0, 0.9, "max"), (0.1, 0.9, "both")],
)
def test_clipped_ends_are_told(low, high, ends):
    assert ends_clipped(np.array([0, 0.5, 1, np.nan]), low, high) == ends


def test_amplitude_span_is_relative():
    scale = amplitude_scale(np.full((10, 100), 1e6), ALL)
    assert (scale.low, scale.high) == pytest.approx((1e6 - 500, 1e6 + 500))


@pytest.mark.filterwarnings("error")
def test_zero_amplitude_has_a_scale():
    scale = amplitude_scale(np.zeros((10, 100)), ALL)
    assert scale.low < 0 < scale.high


def test_cyclic_phase_takes_the_whole_circle():
    scale = phase_scale(np.zeros((10, 100)), ALL, cyclic=True)
    assert (scale.low, scale.high) == (-np.pi, np.pi)
    assert scale.colours != phase_scale(np.zeros((10, 100)), ALL, cyclic=False).colours


def test_differences_are_symmetric():
    values = np.linspace(-0.2, 1, 1000).reshape(10, 100)
    scale = difference_scale(values, ALL, "rad")
    assert scale.high == -scale.low == pytest.approx(0.994)
    assert scale.label == "difference (rad)"
