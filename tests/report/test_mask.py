import numpy as np
import pytest

from ptychopinn.errors import ShapeError
from ptychopinn.report import draw_mask
from ptychopinn.scan import BadPixels
from tests.report.conftest import panel_pixels, texts

GREEN, RED = (0x22, 0xCC, 0x55), (0xEE, 0x22, 0x22)


def test_each_kind_has_its_colour_where_it_lies(tmp_path, figures):
    dead, hot = np.zeros((2, 32, 32), dtype=bool)
    dead[:, 20] = hot[3, 5] = True
    mean = np.exp(-np.hypot(*(np.mgrid[:32, :32] - 16)) / 3)
    mean[3, 5] = np.nan
    path = draw_mask(mean, BadPixels({"dead": dead, "hot": hot}), tmp_path / "mask.png")
    pixels = panel_pixels(path, figures[0].axes[0], (32, 32))
    np.testing.assert_array_equal(np.all(pixels == GREEN, axis=-1), dead)
    np.testing.assert_array_equal(np.all(pixels == RED, axis=-1), hot)
    assert pixels[16, 16, 0] > pixels[16, 25, 0] > pixels[0, 0, 0]
    assert texts(figures[0])[-1] == "red: 1 hot; green: 32 dead"


def test_a_dark_detector_and_wrong_sizes(tmp_path, sketches):
    none = BadPixels({"marked": np.eye(8, dtype=bool)})
    draw_mask(np.zeros((8, 8)), none, tmp_path / "mask.png")
    assert len(sketches) == 1
    with pytest.raises(ShapeError):
        draw_mask(np.zeros((9, 9)), none, tmp_path / "mask.png")
