from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from ptychopinn.report import (
    Curve,
    CurveAxes,
    Matrix,
    draw_curve_panels,
    draw_curves,
    draw_matrices,
)

AXES = CurveAxes("photons", "quality", level=0.85)


def picture(place):
    return imread(place)[..., :3]


def test_curves_show_their_points(tmp_path):
    drawn = [
        picture(draw_curves([Curve("a", points)], AXES, tmp_path / "c.png"))
        for points in ([(1e2, 0.1), (1e4, 0.9)], [(1e2, 0.9), (1e4, 0.1)], [])
    ]
    assert (drawn[0] != drawn[1]).any()
    assert drawn[2].std() > 0


@pytest.mark.parametrize("count", [1, 12])
def test_many_curves_are_all_in_the_legend(tmp_path, count):
    curves = [
        Curve(f"method {k}", [(1, 0.1 * k), (10, 0.5)], dashed=k % 2 == 1) for k in range(count)
    ]
    few = picture(draw_curves(curves[:-1], AXES, tmp_path / "few.png"))
    legend = (slice(None), slice(int(0.73 * few.shape[1]), None))
    all_of_them = picture(draw_curves(curves, AXES, tmp_path / "all.png"))
    assert (all_of_them[legend] < 0.9).sum() > (few[legend] < 0.9).sum()


def test_panels_stand_side_by_side_with_one_legend(tmp_path):
    curves = [Curve("a", [(1, 0.1), (10, 0.5)]), Curve("b", [])]
    one = picture(draw_curve_panels([(curves, AXES)], tmp_path / "one.png"))
    both = picture(draw_curve_panels([(curves, AXES), (curves[:1], AXES)], tmp_path / "two.png"))
    assert one.shape[0] == both.shape[0]
    assert one.shape[1] < both.shape[1] < 2 * one.shape[1]


def test_the_name_of_a_level_is_written_on_it(tmp_path):
    curves = [Curve("a", [(1, 0.1), (10, 0.5)])]
    named = replace(AXES, level_name="usable")
    plain, told = (picture(draw_curves(curves, a, tmp_path / "c.png")) for a in (AXES, named))
    assert ((plain != told).any(axis=2)).sum() > 50


def test_matrices(tmp_path):
    values = np.array([[0.9, 0.2], [np.nan, 0.5]])
    names = ("lines", "leaves")
    place = draw_matrices(
        [Matrix("cnn", values), Matrix("pie", values.T)],
        names,
        names,
        tmp_path / "m.png",
        label="s",
    )
    both = picture(place)
    one = picture(draw_matrices([Matrix("cnn", values)], names, names, place, label="s"))
    assert both.shape[1] > one.shape[1]
    assert both.std() > 0.1
    assert picture(draw_matrices([], names, names, place, label="s")).size
