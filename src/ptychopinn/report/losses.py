"""The picture of a training: losses over its epochs or steps."""

import math
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator, NullFormatter

from ptychopinn.report.sheet import INK, SMALL_PT, TEXT_PT, blank_figure, save, set_ink

_DPI = 150
_CURVES = {"train_loss": ("training", "#1f5fa8", "-"), "val_loss": ("validation", "#d9622b", "--")}
#: Losses that span more than this factor are drawn on a logarithmic axis.
_LOG_FROM = 5.0

_Points = list[tuple[float, float]]


def draw_losses(history: list[dict[str, Any]], path: Path) -> Path:
    """Draw training and validation loss over epochs, or over steps when there is one epoch only.

    The axis is logarithmic when all losses are positive and span more than a factor of 5. An empty
    history gives a small picture that says so.

    Args:
        history: Rows with ``epoch``, ``step``, ``train_loss`` and ``val_loss``; a loss may be None
            or missing, and is left out then, as it is when it is not finite.
        path: PNG file to write.

    Raises:
        OutputError: The file cannot be written.

    Tested: tests/report/test_losses.py.
    """
    abscissa = choose_abscissa(history)
    curves = {name: points(history, abscissa, name) for name in _CURVES}
    if not any(curves.values()):
        words = "no loss was finite" if history else "nothing was trained"
        return save(_note(words), path)
    figure = blank_figure(960, 600, _DPI)
    axes = figure.add_axes((0.13, 0.14, 0.84, 0.82))
    set_ink(axes)
    for name, curve in curves.items():
        _add_curve(axes, name, curve)
    if spans_decades([loss for curve in curves.values() for _, loss in curve]):
        _make_logarithmic(axes)
    _label(axes, abscissa)
    return save(figure, path)


def choose_abscissa(history: list[dict[str, Any]]) -> str:
    """Return ``epoch``, or ``step`` when the epochs do not tell the rows apart."""
    epochs = [row.get("epoch") for row in history]
    distinct = len(set(epochs)) == len(epochs) and None not in epochs
    return "epoch" if distinct else "step"


def points(history: list[dict[str, Any]], abscissa: str, name: str) -> _Points:
    """Return the (x, loss) of the rows in which the loss is a finite number."""
    pairs = ((row.get(abscissa), index, row.get(name)) for index, row in enumerate(history))
    return [
        (float(index if x is None else x), float(loss))
        for x, index, loss in pairs
        if loss is not None and math.isfinite(loss)
    ]


def spans_decades(losses: list[float]) -> bool:
    """Tell whether a logarithmic axis shows more than a linear one."""
    return min(losses) > 0 and max(losses) > _LOG_FROM * min(losses)


def _add_curve(axes: Axes, name: str, curve: _Points) -> None:
    if not curve:
        return
    label, colour, style = _CURVES[name]
    marker = "o" if len(curve) <= 30 else ""
    x, y = zip(*curve, strict=True)
    axes.plot(x, y, style, color=colour, label=label, marker=marker, markersize=3, linewidth=1.4)


def _make_logarithmic(axes: Axes) -> None:
    """Use a logarithmic axis, with numbers between the powers of ten when there are few."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if high < 100 * low:
        axes.yaxis.set_major_formatter(LogFormatter())
        axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 1)))
    else:
        axes.yaxis.set_minor_formatter(NullFormatter())


def _label(axes: Axes, abscissa: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    axes.set_xlabel(abscissa)
    axes.set_ylabel("loss")
    axes.tick_params(which="both", colors=INK, labelsize=SMALL_PT)
    legend = axes.legend(frameon=False, fontsize=TEXT_PT, labelcolor=INK)
    legend.set_zorder(3)


def _note(words: str) -> Figure:
    figure = blank_figure(480, 180, _DPI)
    figure.text(0.5, 0.5, words, ha="center", va="center", color=INK, fontsize=TEXT_PT)
    return figure
