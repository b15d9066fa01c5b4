"""The picture of the detector: the mean pattern, and the pixels that are left out."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from ptychopinn.axes import require_axes
from ptychopinn.report.contrast import ColourScale
from ptychopinn.report.panel import add_image
from ptychopinn.report.sheet import Layout, Sheet
from ptychopinn.report.view import View
from ptychopinn.scan import BAD_PIXEL_KINDS, BadPixels

_LAYOUT = Layout(panel_in=6.0, footer_in=0.22)
_COLOURS = {
    "marked": ("#4477aa", "blue"),
    "faulty": ("#aa3377", "purple"),
    "saturated": ("#ee8866", "orange"),
    "hot": ("#ee2222", "red"),
    "dead": ("#22cc55", "green"),
}


def draw_mask(mean_counts: np.ndarray, bad: BadPixels, path: Path) -> Path:
    """Draw the mean pattern on a logarithmic scale, with bad pixels coloured by kind.

    Args:
        mean_counts: (N, N) real, mean photons of every pixel; anything at bad pixels.
        bad: Which pixels are bad, and why.
        path: PNG file to write.

    Raises:
        ShapeError: The arrays differ in size.
        OutputError: The file cannot be written.

    Tested: tests/report/test_mask.py.
    """
    sizes = require_axes("mean pattern", mean_counts, "N N", kind="real")
    require_axes("mask", bad.mask, "N N", N=sizes["N"])
    view = View.of(np.ones(mean_counts.shape, dtype=np.float32), _LAYOUT.most_px)
    values = view.mean(np.where(bad.mask, mean_counts, np.nan))
    lit = values[values > 0]
    faintest = float(lit.min()) if lit.size else 1.0
    logarithm = np.log10(np.maximum(values, faintest))
    high = max(float(np.nanmax(logarithm, initial=-np.inf)), np.log10(faintest) + 0.1)
    scale = ColourScale(np.log10(faintest), high, "gray", "log10 of the mean photons per pattern")
    sheet = Sheet(_LAYOUT, view.shape)
    axes = add_image(sheet, logarithm, view, scale)
    _add_kinds(axes, bad)
    sheet.title("mean pattern and bad pixels")
    sheet.note(_explain(bad))
    return sheet.save(path)


def _add_kinds(axes: Axes, bad: BadPixels) -> None:
    """Colour the bad pixels, over the axes of the detector."""
    height, width = bad.mask.shape
    layer = np.zeros((height, width, 4))
    for kind in bad.counts:
        layer[bad.kinds[kind]] = to_rgba(_COLOURS[kind][0])
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axes.imshow(layer, extent=extent, interpolation="nearest", origin="upper", aspect="auto")


def _explain(bad: BadPixels) -> str:
    """Return what each colour stands for."""
    said = [
        f"{_COLOURS[kind][1]}: {number} {BAD_PIXEL_KINDS[kind]}"
        for kind, number in bad.counts.items()
    ]
    return "; ".join(said) or "no bad pixels"
