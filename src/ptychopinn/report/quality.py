"""Quality against seconds: how soon methods are how good, a panel for each scan."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator

from ptychopinn.report.curves import Curve
from ptychopinn.report.sheet import INK, SMALL_PT, TEXT_PT, blank_figure, save, set_ink

_DPI = 150
_WIDTH_PX = 700
_HEIGHT_PX = 760
_MARKERS = "osD^vP*X"


def draw_quality_over_seconds(panels: Sequence[tuple[str, Sequence[Curve]]], path: Path) -> Path:
    """Draw phase errors over seconds, both axes logarithmic; lower left is better.

    Args:
        panels: Title and curves of (seconds, phase RMSE in rad) of each scan, at least one.
        path: PNG file to write.

    Raises:
        OutputError: The file cannot be written.

    Tested: tests/report/test_quality.py.
    """
    count = len(panels)
    figure = blank_figure(_WIDTH_PX * count, _HEIGHT_PX, _DPI)
    for number, (title, curves) in enumerate(panels):
        left = (number + 0.14) / count
        plot = figure.add_axes((left, 0.36, 0.83 / count, 0.56))
        set_ink(plot)
        _draw(plot, curves)
        plot.set_title(title, color=INK, fontsize=TEXT_PT + 1, loc="left")
        if not curves:
            continue
        plot.legend(
            frameon=False, fontsize=SMALL_PT, labelcolor=INK, loc="upper left",
            bbox_to_anchor=(-0.02, -0.2), borderaxespad=0,
        )  # fmt: skip
    return save(figure, path)


def _draw(plot: Axes, curves: Sequence[Curve]) -> None:
    colours = cycle([colormaps["tab10"](number) for number in range(10)])
    for curve, colour, marker in zip(curves, colours, cycle(_MARKERS), strict=False):
        x, y = zip(*curve.points, strict=True) if curve.points else ((), ())
        plot.plot(
            x, y, "--" if curve.dashed else "-", color=colour, marker=marker, markersize=4.5,
            markerfacecolor="none", linewidth=1.2, label=curve.label,
        )  # fmt: skip
    plot.set(xscale="log", yscale="log")
    for axis in (plot.xaxis, plot.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(LogLocator(subs=()))
    plot.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    plot.set_xlabel("seconds, one thread", color=INK, fontsize=TEXT_PT)
    plot.set_ylabel("phase RMSE (rad)", color=INK, fontsize=TEXT_PT)
