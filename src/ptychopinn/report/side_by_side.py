"""Several results in one picture: amplitude, phase, what is different, ring correlations."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from ptychopinn.axes import require_axes
from ptychopinn.report.contrast import (
    ColourScale,
    amplitude_scale,
    difference_scale,
    phase_scale,
)
from ptychopinn.report.curves import Curve
from ptychopinn.report.panel import add_colour_bar, add_scale_bar, explain, hide_ticks, show
from ptychopinn.report.phase import PhaseFrame, phasor
from ptychopinn.report.sheet import INK, SMALL_PT, TEXT_PT, Layout, Sheet, set_ink
from ptychopinn.report.view import View

_PANEL_IN = 2.0
_NAME_IN = 1.0
_CURVES_IN = 2.6
_MARGIN_IN = 0.62


@dataclass(frozen=True)
class SideBySideColumn:
    """One result, aligned with the others."""

    title: str
    """Name, and on further lines what else is to be said."""
    image: np.ndarray
    """(H, W) complex."""


def draw_side_by_side(
    columns: Sequence[SideBySideColumn],
    coverage: np.ndarray,
    curves: Sequence[Curve],
    path: Path,
    *,
    pixel_size_m: float | None = None,
) -> Path:
    """Draw results beside each other; all rows share their colours.

    Rows: amplitude, phase, phase less that of the first column. Below them the ring correlations.

    Args:
        columns: At least one; the first one is what the others are held against.
        coverage: (H, W) real, illumination of any scale.
        curves: Ring correlation over frequency in cycles per pixel.
        path: PNG file to write.
        pixel_size_m: Side of a canvas pixel in metres, for a scale bar.

    Raises:
        ShapeError: The arrays differ in size, or an image is not complex.
        OutputError: The file cannot be written.

    Tested: tests/report/test_side_by_side.py.
    """
    sizes = require_axes("coverage", coverage, "H W", kind="real")
    for column in columns:
        require_axes(f"image {column.title}", column.image, "H W", kind="complex", **sizes)
    layout = _layout(columns)
    view = View.of(coverage, layout.most_px)
    sheet = Sheet(layout, view.shape)
    amplitudes = [view.mean(column.image, np.abs) for column in columns]
    phases, cyclic = _phases(columns, view)
    apart = [_wrapped(phase - phases[0]) for phase in phases]
    rows = (
        ("amplitude", amplitudes, amplitude_scale(*_all(amplitudes, view))),
        ("phase", phases, phase_scale(*_all(phases, view), cyclic=cyclic)),
        ("phase less\nthe first", apart, difference_scale(*_all(apart, view), "rad")),
    )
    for number, row in enumerate(rows):
        _add_row(sheet, number, row, view, pixel_size_m if number == 0 else None)
    for number, column in enumerate(columns):
        sheet.title(column.title, 0, number)
    _add_curves(sheet, curves)
    sheet.note(explain(view))
    return sheet.save(path)


def _layout(columns: Sequence[SideBySideColumn]) -> Layout:
    lines = max(column.title.count("\n") + 1 for column in columns)
    count = len(columns)
    return Layout(
        panel_in=_PANEL_IN,
        left_in=(_NAME_IN, *[0.1] * (count - 1)),
        right_in=(*[0.0] * (count - 1), 1.0),
        rows=3,
        top_in=0.12,
        bottom_in=0.02,
        header_in=0.2 * lines,
        footer_in=_CURVES_IN + 0.35,
    )


def _phases(columns: Sequence[SideBySideColumn], view: View) -> tuple[list[np.ndarray], bool]:
    """Cut the circle as suits the first image; others may go beyond the cut rather than wrap."""
    waves = [view.mean(column.image, phasor) for column in columns]
    frame = PhaseFrame.of(waves[0][view.well_covered])
    first = frame.phase(waves[0])
    if frame.cyclic:
        return [frame.phase(wave) for wave in waves], True
    return [first + np.angle(wave * np.conj(waves[0])) for wave in waves], False


def _wrapped(angle: np.ndarray) -> np.ndarray:
    return np.angle(np.exp(1j * angle))


def _all(values: Sequence[np.ndarray], view: View) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of all images, and which of them count."""
    return np.stack(values), np.stack([view.well_covered] * len(values))


def _add_row(
    sheet: Sheet,
    number: int,
    row: tuple[str, list[np.ndarray], ColourScale],
    view: View,
    pixel_size_m: float | None,
) -> None:
    name, panels, scale = row
    for column, values in enumerate(panels):
        axes = sheet.panel(number, column)
        hide_ticks(axes)
        image = show(axes, values, view, scale)
        if column == 0:
            axes.set_ylabel(name, color=INK, fontsize=TEXT_PT, rotation=0, ha="right", va="center")
            add_scale_bar(axes, view, pixel_size_m)
        if column == len(panels) - 1:
            add_colour_bar(sheet.bar(number, column), image, scale)


def _add_curves(sheet: Sheet, curves: Sequence[Curve]) -> None:
    width, height = sheet.size_px
    left, low = sheet.px(_NAME_IN), sheet.px(_MARGIN_IN + 0.15)
    wide = min(width - left - sheet.px(2.4), sheet.px(6.0))
    high = sheet.px(_CURVES_IN - _MARGIN_IN)
    plot = sheet.figure.add_axes((left / width, low / height, wide / width, high / height))
    set_ink(plot)
    colours = cycle([colormaps["tab10"](number) for number in range(10)])
    for curve, colour in zip(curves, colours, strict=False):
        x, y = zip(*curve.points, strict=True) if curve.points else ((), ())
        style = "--" if curve.dashed else "-"
        plot.plot(x, y, style, color=colour, linewidth=1.2, label=curve.label)
    _label(plot, bool(curves))


def _label(plot: Axes, legend: bool) -> None:
    plot.axhline(0.5, color=INK, linewidth=0.8, linestyle=":")
    plot.set(xlim=(0, 0.5), ylim=(min(0.0, plot.get_ylim()[0]), 1.03))
    plot.grid(visible=True, color="#dddddd", linewidth=0.6)
    plot.set_xlabel("spatial frequency (cycles/px)", color=INK, fontsize=TEXT_PT)
    plot.set_ylabel("ring correlation", color=INK, fontsize=TEXT_PT)
    if legend:
        plot.legend(
            frameon=False, fontsize=SMALL_PT, labelcolor=INK, loc="upper left",
            bbox_to_anchor=(1.01, 1.03),
        )  # fmt: skip
