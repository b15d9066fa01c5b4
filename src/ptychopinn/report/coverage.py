"""The picture of the illumination, and of where the probe stood."""

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from ptychopinn.axes import require_axes
from ptychopinn.report.contrast import ColourScale
from ptychopinn.report.panel import add_image, titled
from ptychopinn.report.sheet import Layout, Sheet
from ptychopinn.report.view import View

_LAYOUT = Layout(panel_in=6.0)
_DOT = "#ff5533"
_MOST_DOTS = 20_000


def draw_coverage(coverage: np.ndarray, positions_px: np.ndarray, path: Path) -> Path:
    """Draw the illumination as a share of its maximum, and a dot where the probe stood.

    Pixels without any light are grey. Of more than 20 000 positions every second (third, ...) is
    drawn.

    Args:
        coverage: (H, W) real, illumination of any scale.
        positions_px: (K, 2) real, (y, x) of the window's centre pixel on the canvas.
        path: PNG file to write.

    Raises:
        ShapeError: The arrays have other ranks.
        OutputError: The file cannot be written.

    Tested: tests/report/test_coverage.py.
    """
    require_axes("coverage", coverage, "H W", kind="real")
    require_axes("positions", positions_px, "K 2", kind="real")
    view = View.of(coverage, _LAYOUT.most_px)
    values = np.where(view.light > 0, view.light, np.nan)
    sheet = Sheet(_LAYOUT, view.shape)
    axes = add_image(sheet, values, view, ColourScale(0, 1, "cividis", "illumination / maximum"))
    every = max(1, math.ceil(len(positions_px) / _MOST_DOTS))
    _add_dots(axes, positions_px[::every], view)
    drawn = "" if every == 1 else f", one in {every} drawn"
    sheet.title(titled(f"illumination and {len(positions_px)} positions{drawn}", view))
    return sheet.save(path)


def _add_dots(axes: Axes, positions_px: np.ndarray, view: View) -> None:
    """Draw dots that are small against their distance, so that the image stays visible."""
    y, x = positions_px[np.isfinite(positions_px).all(axis=1)].T
    points_per_px = 72 * _LAYOUT.panel_in / (max(view.shape) * view.factor)
    distance_px = math.sqrt(view.light.size / max(1, len(y))) * view.factor
    size = min(3.5, max(0.5, 0.2 * distance_px * points_per_px))
    axes.plot(
        x, y, linestyle="none", marker="o", markersize=size, markeredgewidth=0, color=_DOT,
        scalex=False, scaley=False,
    )  # fmt: skip
