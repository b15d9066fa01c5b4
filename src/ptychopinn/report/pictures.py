"""The pictures of a reconstruction: amplitude, phase, coverage, and the two for a first look."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ptychopinn.axes import require_axes
from ptychopinn.report.contrast import ColourScale, amplitude_scale, phase_scale
from ptychopinn.report.losses import draw_losses
from ptychopinn.report.panel import (
    add_colour_bar,
    add_image,
    add_scale_bar,
    explain,
    hide_ticks,
    show,
)
from ptychopinn.report.phase import PhaseFrame, phasor
from ptychopinn.report.probe import draw_probe
from ptychopinn.report.sheet import Layout, Sheet
from ptychopinn.report.view import View
from ptychopinn.scan import Reconstruction

_SINGLE = Layout(panel_in=6.0, footer_in=0.22)
_WITHOUT_NOTE = Layout(panel_in=6.0)
_PAIR = Layout(panel_in=5.0, left_in=(0.1, 0.1), right_in=(0.9, 0.9), bottom_in=0.12)
_MOST_DOTS = 20_000


def draw_amplitude(
    object: np.ndarray, coverage: np.ndarray, path: Path, pixel_size_m: float | None = None
) -> Path:
    """Draw the modulus of the object where it is lit.

    Contrast is that of the well-covered pixels (above 5 % of the largest illumination); pixels
    below 2 % are grey. Images too large for a picture are averaged over blocks of pixels.

    Args:
        object: (H, W) complex.
        coverage: (H, W) real, illumination of any scale.
        path: PNG file to write.
        pixel_size_m: Side of a canvas pixel in metres, for a scale bar.

    Raises:
        ShapeError: The arrays differ in size, or the object is not complex.
        OutputError: The file cannot be written.

    Tested: tests/report/test_pictures.py.
    """
    _require_canvas(object, coverage)
    view = View.of(coverage, _SINGLE.most_px)
    values, scale = _amplitude(object, view)
    return _draw_single("amplitude", values, view, scale, path, pixel_size_m)


def draw_phase(
    object: np.ndarray, coverage: np.ndarray, path: Path, pixel_size_m: float | None = None
) -> Path:
    """Draw the phase of the object where it is lit, without its global phase.

    Only the global phase is removed: a ramp, which is no property of the object either, would be
    seen. An object whose phases go all around the circle gets a colour map that does so, too.
    Arguments, errors and the choice of contrast are those of `draw_amplitude`.
    """
    _require_canvas(object, coverage)
    view = View.of(coverage, _SINGLE.most_px)
    values, scale = _phase(object, view)
    return _draw_single("phase", values, view, scale, path, pixel_size_m)


def draw_coverage(coverage: np.ndarray, positions_px: np.ndarray, path: Path) -> Path:
    """Draw the illumination as a share of its maximum, and a dot where the probe stood.

    Args:
        coverage: (H, W) real, illumination of any scale.
        positions_px: (K, 2) real, (y, x) of the window's centre pixel on the canvas.
        path: PNG file to write.

    Raises:
        ShapeError: The arrays have other ranks.
        OutputError: The file cannot be written.
    """
    require_axes("coverage", coverage, "H W", kind="real")
    require_axes("positions", positions_px, "K 2", kind="real")
    view = View.of(coverage, _SINGLE.most_px)
    values = np.where(view.light > 0, view.light, np.nan)
    scale = ColourScale(0.0, 1.0, "cividis", "illumination / maximum")
    sheet = Sheet(_WITHOUT_NOTE, view.shape)
    axes = add_image(sheet, values, view, scale)
    sheet.title(_titled(_add_positions(axes, positions_px, view), view))
    return sheet.save(path)


def draw_result(reconstruction: Reconstruction, path: Path) -> Path:
    """Draw phase and amplitude side by side with nothing else but their scales."""
    _require_canvas(reconstruction.object, reconstruction.coverage)
    view = View.of(reconstruction.coverage, _PAIR.most_px)
    sheet = Sheet(_PAIR, view.shape)
    quantities = {"phase": _phase, "amplitude": _amplitude}
    for column, (name, quantity) in enumerate(quantities.items()):
        values, scale = quantity(reconstruction.object, view)
        axes = sheet.panel(0, column)
        image = show(axes, values, view, scale)
        hide_ticks(axes)
        add_colour_bar(sheet.bar(0, column), image, scale)
        add_scale_bar(axes, view, reconstruction.pixel_size_m)
        sheet.title(name, 0, column)
    return sheet.save(path)


def write_pictures(
    reconstruction: Reconstruction, history: list[dict[str, Any]], folder: Path
) -> list[Path]:
    """Write amplitude.png, phase.png, probe.png, coverage.png and loss.png into a folder.

    Args:
        reconstruction: What to draw.
        history: Rows of the training, as `draw_losses` takes them; may be empty.
        folder: Made when missing.

    Raises:
        OutputError: A file cannot be written.
    """
    image, coverage = reconstruction.object, reconstruction.coverage
    size = reconstruction.pixel_size_m
    return [
        draw_amplitude(image, coverage, folder / "amplitude.png", size),
        draw_phase(image, coverage, folder / "phase.png", size),
        draw_probe(reconstruction.probe, folder / "probe.png", size),
        draw_coverage(coverage, reconstruction.positions_px, folder / "coverage.png"),
        draw_losses(history, folder / "loss.png"),
    ]


def _require_canvas(image: np.ndarray, coverage: np.ndarray) -> None:
    sizes = require_axes("object", image, "H W", kind="complex")
    require_axes("coverage", coverage, "H W", kind="real", **sizes)


def _amplitude(image: np.ndarray, view: View) -> tuple[np.ndarray, ColourScale]:
    values = view.mean(image, np.abs)
    return values, amplitude_scale(values, view.well_covered)


def _phase(image: np.ndarray, view: View) -> tuple[np.ndarray, ColourScale]:
    waves = view.mean(image, phasor)
    frame = PhaseFrame.of(waves[view.well_covered])
    values = frame.phase(waves)
    return values, phase_scale(values, view.well_covered, cyclic=frame.cyclic)


def _draw_single(
    name: str,
    values: np.ndarray,
    view: View,
    scale: ColourScale,
    path: Path,
    pixel_size_m: float | None,
) -> Path:
    sheet = Sheet(_SINGLE, view.shape)
    add_image(sheet, values, view, scale, pixel_size_m=pixel_size_m)
    sheet.title(_titled(name, view))
    sheet.note(explain(view))
    return sheet.save(path)


def _titled(name: str, view: View) -> str:
    return name if view.shown.any() else f"{name}: nothing was lit"


def _add_positions(axes: Axes, positions_px: np.ndarray, view: View) -> str:
    """Draw dots that do not hide the image, and return the title that says how many there are."""
    finite = positions_px[np.isfinite(positions_px).all(axis=1)]
    every = max(1, math.ceil(len(finite) / _MOST_DOTS))
    y, x = finite[::every].T
    spacing = math.sqrt(max(1, view.light.size) * view.factor**2 / max(1, len(finite)))
    points = _SINGLE.panel_in * 72 * spacing / (max(view.shape) * view.factor)
    size = min(3.5, max(0.5, 0.2 * points))
    limits = axes.get_xlim(), axes.get_ylim()
    axes.plot(x, y, linestyle="none", marker="o", markersize=size, color="#ff5533", mew=0)
    axes.set(xlim=limits[0], ylim=limits[1])
    drawn = "" if every == 1 else f", one in {every} drawn"
    return f"illumination and {len(positions_px)} positions{drawn}"
