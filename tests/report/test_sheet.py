import numpy as np
import pytest

from ptychopinn.errors import OutputError
from ptychopinn.report.sheet import LARGEST_PX, Layout, Sheet

from .conftest import decode, panel_pixels

GRID = Layout(
    panel_in=2.0, left_in=(0.5, 0.1), right_in=(0.2, 0.7), rows=2, header_in=0.3, footer_in=0.1
)


@pytest.mark.parametrize("shape", [(48, 31), (300, 211), (1, 1), (3, 200)])
def test_every_image_pixel_is_a_block_of_picture_pixels(tmp_path, shape):
    sheet = Sheet(GRID, shape)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 2, *shape, 3), dtype=np.uint8)
    panels = [(row, column, sheet.panel(row, column)) for row in (0, 1) for column in (0, 1)]
    for row, column, axes in panels:
        axes.imshow(images[row, column], aspect="auto", interpolation="nearest")
        axes.set_axis_off()  # the frame would cover the outermost pixels
    path = sheet.save(tmp_path / "sheet.png")
    assert decode(path).shape == (*sheet.size_px[::-1], 3)
    for row, column, axes in panels:
        box = axes.get_window_extent()
        assert box.height == pytest.approx(shape[0] * sheet.zoom, abs=0.01)
        assert box.width == pytest.approx(shape[1] * sheet.zoom, abs=0.01)
        np.testing.assert_array_equal(panel_pixels(path, axes, shape), images[row, column])


@pytest.mark.parametrize("layout", [GRID, Layout(panel_in=6.0)])
def test_largest_image_fits(layout):
    most = layout.most_px
    sheet = Sheet(layout, (most, most))
    assert sheet.zoom == 1
    assert LARGEST_PX - 20 < max(sheet.size_px) <= LARGEST_PX + 8


@pytest.mark.parametrize("longest", [1, 10, 64, 200, 500])
def test_small_images_are_enlarged_by_whole_numbers(longest):
    sheet = Sheet(Layout(panel_in=6.0), (longest, longest))
    assert sheet.zoom * longest >= 500
    assert max(sheet.size_px) <= LARGEST_PX + 8


def test_narrow_images_keep_room_for_words():
    sheet = Sheet(Layout(panel_in=6.0), (4, 600))
    assert sheet.size_px[1] > 0.3 * sheet.size_px[0]


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        Sheet(GRID, (5, 5)).save(tmp_path / "file" / "picture.png")
