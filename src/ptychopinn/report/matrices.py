"""Figures for every pair of two settings, a small matrix for each method."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from ptychopinn.report.sheet import INK, NEUTRAL, SMALL_PT, TEXT_PT, blank_figure, save, set_ink

_DPI = 130
_PANEL_PX = 300
_LEFT_PX = 190
_GAP_PX = 30
_TOP_PX = 45
_BOTTOM_PX = 135


@dataclass(frozen=True)
class Matrix:
    """One method."""

    label: str
    values: np.ndarray
    """(rows, columns) real in [0, 1]; NaN where there is no result."""


def draw_matrices(
    matrices: Sequence[Matrix],
    rows: Sequence[str],
    columns: Sequence[str],
    path: Path,
    *,
    label: str,
) -> Path:
    """Draw matrices beside each other, colours from 0 to 1, numbers in the cells.

    Args:
        matrices: From left to right.
        rows: What was trained on.
        columns: What was tested on.
        path: PNG file to write.
        label: What the numbers are.

    Raises:
        OutputError: The file cannot be written.

    Tested: tests/report/test_matrices.py.
    """
    count = max(1, len(matrices))
    width = _LEFT_PX + count * (_PANEL_PX + _GAP_PX)
    height = _TOP_PX + _PANEL_PX + _BOTTOM_PX
    figure = blank_figure(width, height, _DPI)
    for number, matrix in enumerate(matrices):
        left = _LEFT_PX + number * (_PANEL_PX + _GAP_PX)
        axes = figure.add_axes(
            (left / width, _BOTTOM_PX / height, _PANEL_PX / width, _PANEL_PX / height)
        )
        _fill(axes, matrix)
        axes.set_yticks(range(len(rows)), rows if number == 0 else [""] * len(rows))
        axes.set_xticks(range(len(columns)), columns, rotation=25, ha="right")
    figure.text(
        _LEFT_PX / width, 0.02, f"{label}; rows: trained on, columns: tested on",
        color=INK, fontsize=SMALL_PT,
    )  # fmt: skip
    return save(figure, path)


def _fill(axes: Axes, matrix: Matrix) -> None:
    set_ink(axes)
    colours = colormaps["viridis"].with_extremes(bad=NEUTRAL)
    axes.imshow(
        np.ma.masked_invalid(matrix.values), cmap=colours, vmin=0, vmax=1, interpolation="nearest"
    )
    axes.set_title(matrix.label, color=INK, fontsize=TEXT_PT, loc="left")
    for (row, column), value in np.ndenumerate(matrix.values):
        if np.isfinite(value):
            ink = "white" if value < 0.6 else "black"
            axes.text(
                column, row, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=TEXT_PT
            )
