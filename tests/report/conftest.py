import numpy as np
import pytest
from matplotlib.image import imread

from ptychopinn.report import sheet


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved during a test, in order; they are written all the same."""
    seen = []
    save = sheet.save

    def keep(figure, path):
        seen.append(figure)
        return save(figure, path)

    monkeypatch.setattr(sheet, "save", keep)
    return seen


@pytest.fixture
def sketches(monkeypatch):
    """The figures that would be saved during a test; they are not, which is faster."""
    seen = []
    monkeypatch.setattr(sheet, "save", lambda figure, path: seen.append(figure) or path)
    return seen


def decode(path):
    """Return the picture as (rows, columns, 3) uint8."""
    return np.round(imread(path)[..., :3] * 255).astype(np.uint8)


def panel_pixels(path, axes, shape):
    """Return (h, w, 3): the picture's pixel in the middle of every image pixel of a panel."""
    picture = decode(path)
    box = axes.get_window_extent()
    top = len(picture) - box.y1
    rows = top + (np.arange(shape[0]) + 0.5) * box.height / shape[0]
    columns = box.x0 + (np.arange(shape[1]) + 0.5) * box.width / shape[1]
    return picture[np.ix_(np.floor(rows).astype(int), np.floor(columns).astype(int))]


def texts(figure):
    """Return everything that is written outside of axes."""
    return [text.get_text() for text in figure.texts]
