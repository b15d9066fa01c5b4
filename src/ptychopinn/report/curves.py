"""Figures over a setting that runs through decades, a curve for each method."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

from ptychopinn.report.sheet import INK, SMALL_PT, blank_figure, save, set_ink

_DPI = 150
_MARKERS = "osD^vP*X"
_HEIGHT_PX, _LEFT_PX, _PLOT_PX, _LEGEND_PX = 700, 112, 750, 388


@dataclass(frozen=True)
class Curve:
    """One method."""

    label: str
    points: Sequence[tuple[float, float]]
    """(x, y) by rising x; without points the label still appears, so that nothing is hidden."""
    dashed: bool = False


@dataclass(frozen=True)
class CurveAxes:
    """What the axes of a picture of curves say."""

    x: str
    y: str
    level: float | None = None
    """A horizontal line, such as a threshold."""
    level_name: str = ""
    """What the line is, written on it."""


def draw_curves(curves: Sequence[Curve], axes: CurveAxes, path: Path) -> Path:
    """Draw curves over a logarithmic abscissa; see `draw_curve_panels`."""
    return draw_curve_panels([(curves, axes)], path)


def draw_curve_panels(panels: Sequence[tuple[Sequence[Curve], CurveAxes]], path: Path) -> Path:
    """Draw curves over logarithmic abscissae side by side, with one legend.

    Args:
        panels: From left to right: curves in the order of the legend, and labels. A method has the
            same colour everywhere, and what has the name of the first ordinate has its range.
        path: PNG file to write.

    Raises:
        OutputError: The file cannot be written.

    Tested: tests/report/test_curves.py.
    """
    width = len(panels) * (_LEFT_PX + _PLOT_PX) + _LEGEND_PX
    figure = blank_figure(width, _HEIGHT_PX, _DPI)
    styles, plot = _styles(panels), None
    for number, (curves, axes) in enumerate(panels):
        left = number * (_LEFT_PX + _PLOT_PX) + _LEFT_PX
        alike = plot if axes.y == panels[0][1].y else None
        plot = figure.add_axes((left / width, 0.13, _PLOT_PX / width, 0.83), sharey=alike)
        set_ink(plot)
        for curve in curves:
            _add_curve(plot, curve, *styles[curve.label])
        _label(plot, axes, sorted({x for curve in curves for x, _ in curve.points}))
    if plot is not None:
        _add_legend(plot, panels, styles)
    return save(figure, path)


def _styles(
    panels: Sequence[tuple[Sequence[Curve], CurveAxes]],
) -> dict[str, tuple[str, str]]:
    """Return colour and marker by method."""
    labels = list(dict.fromkeys(curve.label for curves, _ in panels for curve in curves))
    colours = cycle([to_hex(colormaps["tab10"](number)) for number in range(10)])
    return dict(zip(labels, zip(colours, cycle(_MARKERS), strict=False), strict=False))


def _add_curve(plot: Axes, curve: Curve, colour: str, marker: str) -> None:
    x, y = zip(*curve.points, strict=True) if curve.points else ((), ())
    plot.plot(
        x, y, "--" if curve.dashed else "-", color=colour, marker=marker, markersize=6,
        markerfacecolor="none", linewidth=1.2,
    )  # fmt: skip


def _add_legend(
    plot: Axes,
    panels: Sequence[tuple[Sequence[Curve], CurveAxes]],
    styles: dict[str, tuple[str, str]],
) -> None:
    """Name every method to the right of the last plot, those without a point too."""
    every = [curve for curves, _ in panels for curve in curves]
    lines = []
    for label, (colour, marker) in styles.items():
        own = [curve for curve in every if curve.label == label]
        lines.append(
            Line2D(
                [], [], linestyle="--" if own[0].dashed else "-", color=colour, marker=marker,
                markersize=6, markerfacecolor="none", linewidth=1.2,
                label=label if any(curve.points for curve in own) else f"{label} (no result)",
            )
        )  # fmt: skip
    if lines:
        plot.legend(
            handles=lines, frameon=False, fontsize=SMALL_PT, labelcolor=INK, loc="center left",
            bbox_to_anchor=(1, 0.5),
        )  # fmt: skip


def _label(plot: Axes, axes: CurveAxes, places: list[float]) -> None:
    """Write the abscissae of the points themselves, where there are any."""
    plot.set_xscale("log")
    if places:
        plot.set_xticks(places, [f"{x:g}" for x in places])
        plot.set_xticks([], minor=True)
    plot.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    if axes.level is not None:
        plot.axhline(axes.level, color=INK, linewidth=0.8, linestyle=":")
        plot.annotate(
            axes.level_name, (0.01, axes.level), (0, 2), xycoords=("axes fraction", "data"),
            textcoords="offset points", color=INK, fontsize=SMALL_PT, va="bottom",
        )  # fmt: skip
    plot.set_xlabel(axes.x)
    plot.set_ylabel(axes.y)
    plot.tick_params(which="both", colors=INK, labelsize=SMALL_PT)
