import numpy as np
import pytest

from ptychopinn.errors import DataError, ShapeError
from ptychopinn.evaluation.weighting import as_weight, require_finite, support_box, weighted_mean


def test_no_weight_counts_every_pixel():
    assert np.array_equal(as_weight(None, (3, 5)), np.ones((3, 5)))


def test_bool_weight_becomes_numbers():
    weight = as_weight(np.eye(3, dtype=bool), (3, 3))
    assert weight.dtype == np.float64
    assert np.array_equal(weight, np.eye(3))


@pytest.mark.parametrize(
    ("weight", "error"),
    [
        (np.ones((3, 4)), ShapeError),
        (np.ones((3, 5)) + 0j, ShapeError),
        (-np.ones((3, 5)), DataError),
        (np.full((3, 5), np.nan), DataError),
        (np.zeros((3, 5)), DataError),
    ],
)
def test_bad_weights_are_refused(weight, error):
    with pytest.raises(error, match="weight"):
        as_weight(weight, (3, 5))


def test_require_finite_forgives_only_where_the_weight_is_zero():
    values = np.array([[1.0, np.nan], [np.inf, 4.0]])
    cleaned = require_finite("image", values, np.array([[1, 0], [0, 1]]))
    assert np.array_equal(cleaned, [[1, 0], [0, 4]])
    with pytest.raises(DataError, match=r"\(1, 0\)"):
        require_finite("image", values, np.array([[1, 0], [1, 1]]))


def test_weighted_mean_is_that_of_repeated_values():
    values, weight = np.array([1 + 1j, 2.0, 5j]), np.array([1, 2, 3])
    assert weighted_mean(values, weight) == pytest.approx(np.repeat(values, weight).mean())


def test_support_box():
    weight = np.zeros((9, 7))
    weight[2, 5] = weight[6, 1] = 0.1
    assert support_box(weight) == (slice(2, 7), slice(1, 6))
