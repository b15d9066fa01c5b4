"""The pictures of an object, and all pictures of a reconstruction."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ptychopinn.axes import require_axes
from ptychopinn.report.contrast import ColourScale, amplitude_scale, phase_scale
from ptychopinn.report.coverage import draw_coverage
from ptychopinn.report.losses import draw_losses
from ptychopinn.report.panel import (
    add_colour_bar,
    add_image,
    add_scale_bar,
    explain,
    hide_ticks,
    show,
    titled,
)
from ptychopinn.report.phase import PhaseFrame, phasor
from ptychopinn.report.probe import draw_probe
from ptychopinn.report.sheet import Layout, Sheet
from ptychopinn.report.view import View
from ptychopinn.scan import Reconstruction

_SINGLE = Layout(panel_in=6.0, footer_in=0.22)
_PAIR = Layout(panel_in=5.0, left_in=(0.1, 0.1), right_in=(0.9, 0.9), bottom_in=0.12)


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
    view = _view(object, coverage, _SINGLE)
    return _draw_single(_amplitude(object, view), view, path, pixel_size_m)


def draw_phase(
    object: np.ndarray, coverage: np.ndarray, path: Path, pixel_size_m: float | None = None
) -> Path:
    """Draw the phase of the object where it is lit, without its global phase.

    Nothing else is removed; a ramp, which the measurement cannot tell either, stays visible. An
    object whose phases go all around the circle gets a colour map that does so, too. Arguments,
    errors and the choice of contrast are those of `draw_amplitude`.
    """
    view = _view(object, coverage, _SINGLE)
    return _draw_single(_phase(object, view), view, path, pixel_size_m)


def draw_result(reconstruction: Reconstruction, path: Path) -> Path:
    """Draw phase and amplitude side by side with nothing else but their scales."""
    image = reconstruction.object
    view = _view(image, reconstruction.coverage, _PAIR)
    sheet = Sheet(_PAIR, view.shape)
    for column, layer in enumerate((_phase(image, view), _amplitude(image, view))):
        axes = sheet.panel(0, column)
        shown = show(axes, layer.values, view, layer.scale)
        hide_ticks(axes)
        add_colour_bar(sheet.bar(0, column), shown, layer.scale)
        add_scale_bar(axes, view, reconstruction.pixel_size_m)
        sheet.title(layer.name, 0, column)
    return sheet.save(path)


def write_pictures(
    reconstruction: Reconstruction, history: list[dict[str, Any]], folder: Path | str
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
    size, folder = reconstruction.pixel_size_m, Path(folder)
    return [
        draw_amplitude(image, coverage, folder / "amplitude.png", size),
        draw_phase(image, coverage, folder / "phase.png", size),
        draw_probe(reconstruction.probe, folder / "probe.png", size),
        draw_coverage(coverage, reconstruction.positions_px, folder / "coverage.png"),
        draw_losses(history, folder / "loss.png"),
    ]


class _Layer(NamedTuple):
    """One quantity of an object, ready to be drawn."""

    name: str
    values: np.ndarray
    scale: ColourScale
    removed: str


def _view(image: np.ndarray, coverage: np.ndarray, layout: Layout) -> View:
    sizes = require_axes("object", image, "H W", kind="complex")
    require_axes("coverage", coverage, "H W", kind="real", **sizes)
    return View.of(coverage, layout.most_px)


def _amplitude(image: np.ndarray, view: View) -> _Layer:
    values = view.mean(image, np.abs)
    return _Layer("amplitude", values, amplitude_scale(values, view.well_covered), "")


def _phase(image: np.ndarray, view: View) -> _Layer:
    waves = view.mean(image, phasor)
    frame = PhaseFrame.of(waves[view.well_covered])
    values = frame.phase(waves)
    scale = phase_scale(values, view.well_covered, cyclic=frame.cyclic)
    return _Layer("phase", values, scale, "global phase removed")


def _draw_single(layer: _Layer, view: View, path: Path, pixel_size_m: float | None) -> Path:
    sheet = Sheet(_SINGLE, view.shape)
    add_image(sheet, layer.values, view, layer.scale, pixel_size_m=pixel_size_m)
    sheet.title(titled(layer.name, view))
    sheet.note("; ".join(part for part in (layer.removed, explain(view)) if part))
    return sheet.save(path)
