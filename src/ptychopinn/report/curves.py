"""Figures over a setting that runs through decades, a curve for each method."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes

from ptychopinn.report.sheet import INK, SMALL_PT, blank_figure, save, set_ink

_DPI = 150
_MARKERS = "osD^vP*X"


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


def draw_curves(curves: Sequence[Curve], axes: CurveAxes, path: Path) -> Path:
    """Draw curves over a logarithmic abscissa.

    Args:
        curves: In the order of the legend.
        axes: Labels.
        path: PNG file to write.

    Raises:
        OutputError: The file cannot be written.

    Tested: tests/report/test_curves.py.
    """
    figure = blank_figure(1250, 700, _DPI)
    plot = figure.add_axes((0.09, 0.13, 0.6, 0.83))
    set_ink(plot)
    colours = cycle([colormaps["tab10"](number) for number in range(10)])
    for curve, colour, marker in zip(curves, colours, cycle(_MARKERS), strict=False):
        x, y = zip(*curve.points, strict=True) if curve.points else ((), ())
        label = curve.label if curve.points else f"{curve.label} (no result)"
        plot.plot(
            x, y, "--" if curve.dashed else "-", color=colour, marker=marker, markersize=6,
            markerfacecolor="none", linewidth=1.2, label=label,
        )  # fmt: skip
    _label(plot, axes, sorted({x for curve in curves for x, _ in curve.points}))
    if curves:
        plot.legend(
            frameon=False, fontsize=SMALL_PT, labelcolor=INK, loc="center left",
            bbox_to_anchor=(1, 0.5),
        )  # fmt: skip
    return save(figure, path)


def _label(plot: Axes, axes: CurveAxes, places: list[float]) -> None:
    """Write the abscissae of the points themselves, where there are any."""
    plot.set_xscale("log")
    if places:
        plot.set_xticks(places, [f"{x:g}" for x in places])
        plot.set_xticks([], minor=True)
    plot.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    if axes.level is not None:
        plot.axhline(axes.level, color=INK, linewidth=0.8, linestyle=":")
    plot.set_xlabel(axes.x)
    plot.set_ylabel(axes.y)
    plot.tick_params(which="both", colors=INK, labelsize=SMALL_PT)
