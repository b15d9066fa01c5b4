"""The picture of several results."""

import numpy as np
import pytest
from matplotlib.image import imread

from ptychopinn.errors import ShapeError
from ptychopinn.report import Curve, SideBySideColumn, draw_side_by_side
from tests.conftest import asymmetric_object

IMAGE = asymmetric_object((90, 80))
LIGHT = np.ones(IMAGE.shape)


def columns(*images):
    return [SideBySideColumn(f"result {i}\n1.0 s", image) for i, image in enumerate(images)]


def test_every_result_is_a_column_and_differences_show(tmp_path):
    curve = Curve("both", [(0.1, 1.0), (0.5, 0.4)])
    sizes = []
    for count in (1, 3):
        path = tmp_path / f"{count}.png"
        draw_side_by_side(columns(*[IMAGE] * count), LIGHT, [curve], path)
        sizes.append(imread(path).shape)
    assert sizes[1][1] > 1.8 * sizes[0][1]
    other = tmp_path / "other.png"
    draw_side_by_side(columns(IMAGE, IMAGE * np.exp(0.3j * LIGHT), IMAGE), LIGHT, [curve], other)
    assert not np.array_equal(imread(other), imread(tmp_path / "3.png"))


def test_arrays_of_other_sizes_are_refused(tmp_path):
    with pytest.raises(ShapeError, match="image result 1"):
        draw_side_by_side(columns(IMAGE, IMAGE[1:]), LIGHT, [], tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
