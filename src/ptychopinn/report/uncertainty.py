"""The picture of how far off amplitude and phase are likely to be."""

from pathlib import Path

import numpy as np

from ptychopinn.axes import require_axes
from ptychopinn.report.contrast import ColourScale, ends_clipped, limits
from ptychopinn.report.panel import (
    add_colour_bar,
    add_scale_bar,
    hide_ticks,
    show,
    titled,
)
from ptychopinn.report.sheet import Layout, Sheet
from ptychopinn.report.view import View

_LAYOUT = Layout(
    panel_in=5.0, left_in=(0.1, 0.1), right_in=(1.0, 1.0), bottom_in=0.12, footer_in=0.22
)


def draw_uncertainty(
    amplitude_std: np.ndarray,
    phase_std: np.ndarray,
    coverage: np.ndarray,
    path: Path,
    pixel_size_m: float | None = None,
) -> Path:
    """Draw the standard deviations of phase and amplitude side by side, from 0.

    Args:
        amplitude_std: (H, W) real, NaN where nothing is known.
        phase_std: (H, W) real, rad.
        coverage: (H, W) real, illumination of any scale.
        path: PNG file to write.
        pixel_size_m: Side of a canvas pixel in metres, for a scale bar.

    Raises:
        ShapeError: The arrays differ in size.
        OutputError: The file cannot be written.

    Tested: tests/report/test_uncertainty.py.
    """
    sizes = require_axes("coverage", coverage, "H W", kind="real")
    view = View.of(coverage, _LAYOUT.most_px)
    sheet = Sheet(_LAYOUT, view.shape)
    named = (("phase", "rad", phase_std), ("amplitude", "no unit", amplitude_std))
    for column, (name, unit, deviation) in enumerate(named):
        require_axes(f"{name} standard deviation", deviation, "H W", kind="real", **sizes)
        values = view.mean(deviation)
        high = limits(values, view.well_covered, 1e-6)[1]
        label = f"standard deviation ({unit})"
        scale = ColourScale(0.0, high, "magma", label, ends_clipped(values, 0.0, high))
        axes = sheet.panel(0, column)
        shown = show(axes, values, view, scale)
        hide_ticks(axes)
        add_colour_bar(sheet.bar(0, column), shown, scale)
        add_scale_bar(axes, view, pixel_size_m)
        sheet.title(titled(f"uncertainty of the {name}", view), 0, column)
    sheet.note("grey: too little light to say")
    return sheet.save(path)
