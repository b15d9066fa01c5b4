"""The eight turns form a group, and act alike on images and on points."""

from typing import get_args, get_type_hints

import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.symmetry import ORIENTATIONS, SCAN_AXES, orientation_name, scan_axes_name

IMAGE = np.arange(16.0).reshape(4, 4)
NUMPY = {
    "stored": lambda a: a,
    "rot90": np.rot90,
    "rot180": lambda a: np.rot90(a, 2),
    "rot270": lambda a: np.rot90(a, 3),
    "flipud": np.flipud,
    "fliplr": np.fliplr,
    "transpose": np.transpose,
    "antitranspose": lambda a: np.rot90(a.T, 2),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_names_mean_what_numpy_means(name):
    turn = ORIENTATIONS[name]
    np.testing.assert_array_equal(turn.of_images(IMAGE), NUMPY[name](IMAGE))
    assert orientation_name(turn) == name


@pytest.mark.parametrize("first", ORIENTATIONS)
@pytest.mark.parametrize("second", ORIENTATIONS)
def test_one_after_the_other(first, second):
    a, b = ORIENTATIONS[first], ORIENTATIONS[second]
    both = b.after(a)
    np.testing.assert_array_equal(both.of_images(IMAGE), b.of_images(a.of_images(IMAGE)))
    point = np.array([1.0, 2.5])
    np.testing.assert_array_equal(both.of_vectors(point), b.of_vectors(a.of_vectors(point)))
    np.testing.assert_array_equal(a.inverse.of_images(a.of_images(IMAGE)), IMAGE)


@pytest.mark.parametrize("turn", SCAN_AXES.values(), ids=SCAN_AXES)
def test_points_stay_on_their_pixels(turn):
    """What an image shows at a point is found at the turned point of the turned image."""
    middle = (np.array(IMAGE.shape) - 1) / 2
    y, x = turn.of_vectors(np.array([0, 3]) - middle) + middle
    assert turn.of_images(IMAGE)[int(y), int(x)] == IMAGE[0, 3]


def test_settings_know_the_same_names():
    hints = get_type_hints(DataConfig)
    assert get_args(hints["orientation"]) == tuple(ORIENTATIONS)
    assert get_args(hints["scan_axes"]) == tuple(SCAN_AXES)
    assert all(scan_axes_name(turn) == name for name, turn in SCAN_AXES.items())
