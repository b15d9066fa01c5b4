import numpy as np
import pytest

from ptychopinn.errors import ShapeError
from ptychopinn.report import draw_coverage

from .conftest import decode, panel_pixels, texts

DOT = [0xFF, 0x55, 0x33]
GREY = [0x9C] * 3


def test_dots_lie_where_the_probe_stood(tmp_path, figures):
    coverage = np.ones((40, 60), dtype=np.float32)
    coverage[:, 58:] = 0
    positions = np.array([[5.0, 10.0], [30.0, 45.0], [np.nan, 3.0]])
    path = draw_coverage(coverage, positions, tmp_path / "coverage.png")
    pixels = panel_pixels(path, figures[0].axes[0], (40, 60))
    dots = np.argwhere(np.abs(pixels.astype(int) - DOT).max(axis=-1) < 30)
    assert dots.tolist() == [[5, 10], [30, 45]]
    np.testing.assert_array_equal(pixels[20, 59], GREY)
    np.testing.assert_array_equal(pixels[20, 30], pixels[3, 3])
    assert texts(figures[0])[0] == "illumination and 3 positions"


def test_illumination_is_a_share_of_its_maximum(tmp_path, sketches):
    coverage = np.full((20, 20), 50.0)
    coverage[10:] = 25.0
    draw_coverage(coverage, np.zeros((0, 2)), tmp_path / "coverage.png")
    image = sketches[0].axes[0].images[0]
    assert image.get_clim() == (0, 1)
    assert np.unique(image.get_array()).tolist() == [0.5, 1.0]


def test_many_positions_are_thinned_out_and_it_is_said(tmp_path, sketches):
    positions = np.random.default_rng(0).uniform(0, 100, (50_000, 2))
    draw_coverage(np.ones((100, 100)), positions, tmp_path / "coverage.png")
    assert len(sketches[0].axes[0].lines[0].get_xdata()) == 16_667
    assert texts(sketches[0])[0] == "illumination and 50000 positions, one in 3 drawn"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, np.nan])
def test_no_light_and_no_positions(tmp_path, figures, value):
    path = draw_coverage(np.full((20, 30), value), np.zeros((0, 2)), tmp_path / "coverage.png")
    assert (panel_pixels(path, figures[0].axes[0], (20, 30)) == GREY).all()
    assert texts(figures[0])[0] == "illumination and 0 positions: nothing was lit"
    assert decode(path).shape[1] > 600


def test_positions_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ShapeError, match="positions"):
        draw_coverage(np.ones((9, 9)), np.zeros((2, 5)), tmp_path / "coverage.png")
