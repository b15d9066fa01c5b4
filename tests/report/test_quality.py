"""Quality against seconds."""

from matplotlib.image import imread

from ptychopinn.report import Curve, draw_quality_over_seconds


def test_a_panel_for_each_scan(tmp_path):
    curves = [Curve("ours", [(1.0, 0.1), (2.0, 0.02)]), Curve("theirs", [(9.0, 0.05)], dashed=True)]
    one = imread(draw_quality_over_seconds([("a", curves)], tmp_path / "one.png"))
    two = imread(draw_quality_over_seconds([("a", curves), ("b", [])], tmp_path / "two.png"))
    assert two.shape[1] == 2 * one.shape[1]
    assert one.std() > 0.05
