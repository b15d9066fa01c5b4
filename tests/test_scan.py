import dataclasses

import numpy as np
import pytest

from ptychopinn.errors import DataError, ShapeError
from ptychopinn.scan import canvas_covering
from tests.conftest import make_scan


def changed(**values):
    return dataclasses.replace(make_scan(16, side=3), **values)


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ({"positions_px": np.zeros((3, 2))}, ShapeError, "positions"),
        ({"probe": np.ones((16, 16), np.complex64)}, ShapeError, "probe"),
        ({"probe": np.ones((1, 8, 8), np.complex64)}, ShapeError, "probe"),
        ({"mask": np.ones((8, 8), bool)}, ShapeError, "mask"),
        ({"scan_index": np.zeros(3, int)}, ShapeError, "scan_index"),
        ({"truth": np.ones((9, 9))}, ShapeError, "truth"),
        ({"patterns": np.zeros((15, 16, 16), complex)}, ShapeError, "patterns"),
        ({"canvas_shape": (20, 20)}, DataError, "outside the 20 x 20 canvas"),
        ({"positions_px": np.full((15, 2), np.nan)}, DataError, "pattern 0"),
        ({"positions_px": np.full((15, 2), 7.0)}, DataError, "outside"),
    ],
)
def test_arrays_must_belong_together(values, kind, message):
    with pytest.raises(kind, match=message):
        changed(**values)


def test_amplitudes_are_squared_after_the_cast():
    """Trap: uint16 wraps when it is squared."""
    patterns = np.full((15, 16, 16), 300, dtype=np.uint16)
    scan = changed(patterns=patterns, domain="amplitude")
    assert scan.counts().dtype == np.float32
    assert (scan.counts() == 90000).all()


def test_bad_pixels_read_zero_even_when_nan():
    mask = np.ones((16, 16), bool)
    mask[3, 4] = False
    patterns = np.ones((15, 16, 16), np.float32)
    patterns[:, 3, 4] = np.nan
    counts = changed(patterns=patterns, mask=mask).counts([0, 2])
    assert counts.shape == (2, 16, 16)
    assert (counts[:, 3, 4] == 0).all()
    assert counts.sum() == 2 * 255


def test_selection_keeps_the_canvas():
    scan = make_scan(16, side=3)
    part = scan.select(np.array([1, 4]))
    assert part.canvas_shape == scan.canvas_shape
    np.testing.assert_array_equal(part.positions_px, scan.positions_px[[1, 4]])
    np.testing.assert_array_equal(part.counts(), scan.counts([1, 4]))


def test_selection_keeps_which_scan_a_pattern_belongs_to():
    scan = changed(scan_index=np.arange(15) // 5)
    part = scan.select(np.array([1, 4, 12]))
    np.testing.assert_array_equal(part.scan_index, [0, 0, 2])
    assert (scan.fewest_patterns, part.fewest_patterns) == (5, 1)
    assert make_scan(16, side=3).fewest_patterns == 15


@pytest.mark.parametrize("n", [16, 17])
def test_canvas_is_centred_on_the_scan_and_holds_every_window(n):
    positions = np.array([[20.3, 30.0], [55.9, 41.2]])
    shape = np.array(canvas_covering(positions, n))
    middle = (positions.min(0) + positions.max(0)) / 2
    assert (np.abs((shape - 1) / 2 - middle) <= 0.5).all()
    assert (np.floor(positions) - n // 2 + n <= shape).all()
