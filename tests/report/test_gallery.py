import numpy as np
import pytest
from matplotlib.image import imread

from ptychopinn.errors import ShapeError
from ptychopinn.report import GalleryRow, draw_gallery
from ptychopinn.report.gallery import _blocks, _panels
from ptychopinn.report.view import View


def waves(seed, shape=(24, 40)):
    rng = np.random.default_rng(seed)
    return ((1 - 0.3 * rng.random(shape)) * np.exp(1j * rng.random(shape))).astype(np.complex64)


def row(quantity="amplitude", shape=(24, 40), **changes):
    truth = waves(0, shape)
    found = {"images": (truth, waves(1, shape)), "weight": np.ones(shape), **changes}
    return GalleryRow(quantity, quantity, truth, **found)


def test_rows_of_different_size_and_missing_images(tmp_path):
    rows = (row(), row("phase", (20, 30)), row(images=(None, waves(1))))
    place = draw_gallery(rows, ("truth", "a", "b"), tmp_path / "g.png")
    picture = imread(place)
    assert picture.shape[0] > 300
    assert picture[..., :3].std() > 0.1


@pytest.mark.parametrize("shape", [(60, 190), (190, 60), (120, 130)])
@pytest.mark.parametrize("count", [1, 4, 12])
def test_many_images_are_shown_in_blocks_that_can_be_read(tmp_path, count, shape):
    images = tuple(waves(k + 1, shape) for k in range(count))
    rows = [row(quantity, shape, images=images) for quantity in ("amplitude", "phase")]
    names = ("truth", *(f"method {k}" for k in range(count)))
    height, width = imread(draw_gallery(rows, names, tmp_path / "g.png")).shape[:2]
    assert max(height, width) <= 2048
    assert height > 400
    blocks = _blocks(2, count, shape)
    assert [image for block in blocks for image in block] == list(range(count))
    assert len(blocks) == 1 or count > 1
    assert width * height > count * 2 * shape[0] * shape[1]


def test_nothing_to_show(tmp_path):
    assert imread(draw_gallery((), ("truth",), tmp_path / "g.png")).std() > 0


@pytest.mark.parametrize("quantity", ["amplitude", "phase"])
def test_contrast_is_that_of_the_reference(quantity):
    """An image that is equal looks equal, and a wild one does not change the scale."""
    one = row(quantity)
    wild = row(quantity, images=(one.reference, 9 * waves(1) * np.exp(2j)))
    view, known = View.of(np.ones((24, 40)), 400), np.ones((24, 40), dtype=bool)
    (first, same, _), scale = _panels(one, view, known)
    np.testing.assert_allclose(same, first, atol=1e-6)
    (_, _, other), wild_scale = _panels(wild, view, known)
    assert (scale.low, scale.high) == (wild_scale.low, wild_scale.high)
    assert np.abs(other - first).mean() > 1


def test_a_phase_beyond_the_cut_does_not_wrap():
    truth = np.exp(1j * np.linspace(-1, 1, 40) * np.ones((24, 1))).astype(np.complex64)
    turned = truth * np.exp(2.5j)
    one = GalleryRow("phase", "phase", truth, (turned,), np.ones((24, 40)))
    (first, second), _ = _panels(one, View.of(np.ones((24, 40)), 400), np.ones((24, 40), bool))
    np.testing.assert_allclose(second - first, 2.5, atol=1e-3)


def test_shapes_of_a_row_must_agree(tmp_path):
    with pytest.raises(ShapeError, match="amplitude: image"):
        draw_gallery((row(images=(waves(0, (24, 39)),)),), ("truth", "a"), tmp_path / "g.png")
