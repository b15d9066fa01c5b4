import numpy as np
import pytest

from ptychopinn.io.frame import frame_of_object, frame_of_scan
from ptychopinn.scan import LARGEST_CANVAS_PX, Scan, canvas_covering

WHAT = "xcoords, ycoords"


def fits(frame, n):
    """Construct a scan, which refuses windows off its canvas."""
    count = len(frame.positions_px)
    Scan(
        patterns=np.ones((count, n, n)),
        positions_px=frame.positions_px,
        probe=np.ones((1, n, n), np.complex64),
        mask=np.ones((n, n), bool),
        canvas_shape=frame.canvas_shape,
    )
    return True


@pytest.mark.parametrize("n", [8, 9])
def test_positions_on_a_canvas_stay(n):
    positions = np.array([[n // 2, n // 2 + 0.7], [30.2, 21.9]])
    frame = frame_of_scan(positions, n)
    assert frame.positions_px is positions
    assert frame.canvas_shape == canvas_covering(positions, n)
    assert frame.decisions == []
    assert fits(frame, n)


@pytest.mark.parametrize("n", [8, 9])
def test_positions_off_the_canvas_are_moved_by_whole_pixels(n):
    positions = np.array([[-7.25, 20.0], [6.5, 31.5]])
    frame = frame_of_scan(positions, n)
    # The first window begins at floor(-7.25) - 4 = -12.
    np.testing.assert_array_equal(frame.positions_px, positions + np.array([12, 0]))
    assert fits(frame, n)
    assert "(12, 0) px" in frame.decisions[0]


def test_positions_far_from_the_origin_are_moved_close():
    positions = np.array([[100_000.5, 200_000.25], [100_010, 200_020]])
    assert np.prod(canvas_covering(positions, 8), dtype=float) > LARGEST_CANVAS_PX
    frame = frame_of_scan(positions, 8)
    np.testing.assert_array_equal(frame.positions_px, positions - [99_996, 199_996])
    assert np.prod(frame.canvas_shape) < 2000
    assert "too large a canvas" in frame.decisions[0]
    assert fits(frame, 8)


@pytest.mark.parametrize("n", [8, 9])
def test_positions_on_the_object_stay(n):
    positions = np.array([[n // 2, n // 2], [20 - n + n // 2, 31 - n + n // 2]], dtype=float)
    frame = frame_of_object("a.npz", WHAT, positions, n, (20, 31))
    assert frame.positions_px is positions
    assert frame.canvas_shape == (20, 31)
    assert frame.on_object
    assert frame.decisions == []
    assert fits(frame, n)


def test_rounding_errors_of_metres_do_no_harm():
    positions = np.array([[4 - 1e-9, 4 + 1e-9], [16.25, 10]])
    frame = frame_of_object("a.npz", WHAT, positions, 8, (21, 15))
    np.testing.assert_array_equal(frame.positions_px, [[4, 4], [16.25, 10]])
    assert frame.on_object
    assert frame.decisions == []


@pytest.mark.parametrize("span", [12.0, 12.3, 12.9])
def test_the_tight_canvas_of_ptychodus_fits_with_half_a_pixel_more(span):
    n = 8
    side = int(np.ceil(span + n))  # compute_object_geometry of Ptychodus, without padding
    middle = (side - 1) / 2
    positions = np.array([[middle - span / 2] * 2, [middle + span / 2] * 2])
    frame = frame_of_object("a.npz", WHAT, positions, n, (side, side))
    np.testing.assert_allclose(frame.positions_px, positions + 0.5, atol=1e-6)
    assert frame.on_object
    assert fits(frame, n)
    assert "Half a pixel was added" in frame.decisions[0]


def test_half_a_pixel_is_only_added_for_even_n():
    positions = np.array([[3.6, 3.6], [14.4, 14.4]])  # would fit with half a pixel more
    frame = frame_of_object("a.npz", WHAT, positions, 9, (20, 20))
    assert not frame.on_object
    assert "Half a pixel" not in " ".join(frame.decisions)
    assert fits(frame, 9)


def test_an_object_that_windows_reach_beyond_is_set_aside():
    positions = np.array([[1.0, 5.0], [19.0, 12.0]])
    frame = frame_of_object("a.npz", WHAT, positions, 8, (20, 31))
    np.testing.assert_array_equal(frame.positions_px, positions + np.array([3, 0]))
    assert not frame.on_object
    assert "objectGuess (20 x 31) is set aside" in frame.decisions[0]
    assert "moved by (y, x) = (3, 0)" in frame.decisions[1]
    assert fits(frame, 8)
