"""The picture of a refinement: the probe before and after, and where the positions went."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ptychopinn.axes import require_axes
from ptychopinn.report.panel import hide_ticks
from ptychopinn.report.probe import mode_colours, power_shares, share_in_words
from ptychopinn.report.sheet import INK, SMALL_PT, TEXT_PT, blank_figure, save, set_ink
from ptychopinn.report.view import View
from ptychopinn.scan import Reconstruction

_DPI = 120
#: More modes than this are not drawn.
MOST_MODES = 4
_MODE_PX = 250
_PLACES_PX = 2 * _MODE_PX + 70
_LEFT_PX, _TOP_PX, _GAP_PX, _BOTTOM_PX = 70, 60, 36, 60
_MOST_ARROWS = 4000
_ARROW = "#d1431f"
#: Round magnifications of arrows.
_MAGNIFICATIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Refinement:
    """What was before and what is after; what was not refined is None."""

    before: np.ndarray | None = None
    """(P, N, N) complex probe."""
    after: np.ndarray | None = None
    """(P', N, N) complex probe."""
    places_before_px: np.ndarray | None = None
    """(K, 2) positions (y, x)."""
    places_after_px: np.ndarray | None = None
    """(K, 2) positions (y, x)."""


def refinement_of(reconstruction: Reconstruction) -> Refinement:
    """Return what was refined for a reconstruction."""
    probe, places = reconstruction.start_probe, reconstruction.start_positions_px
    return Refinement(
        probe,
        None if probe is None else reconstruction.probe,
        places,
        None if places is None else reconstruction.positions_px,
    )


def draw_refinement(refinement: Refinement, path: Path) -> Path:
    """Draw the modes of the probe before (top) and after (bottom), and arrows for positions.

    Each mode has a brightness of its own, hue is phase. Arrows are magnified by a round number,
    which the title tells; of more than 4000 positions every second (third, ...) has one.

    Args:
        refinement: With a probe, positions, or both.
        path: PNG file to write.

    Raises:
        ShapeError: Arrays have other ranks.
        OutputError: The file cannot be written.

    Tested: tests/report/test_refinement.py.
    """
    rows = _probes(refinement)
    columns = max((min(len(modes), MOST_MODES) for _, modes in rows), default=0)
    places = refinement.places_before_px is not None
    modes_px = columns * (_MODE_PX + 10) + 30 if columns else 0
    width = _LEFT_PX + modes_px + (_PLACES_PX + 90 if places else 0)
    height = _TOP_PX + 2 * _MODE_PX + _GAP_PX + _BOTTOM_PX
    figure = blank_figure(width, height, _DPI)
    for row, (name, modes) in enumerate(rows):
        _add_modes(figure, name, modes, row)
    if refinement.places_before_px is not None and refinement.places_after_px is not None:
        side = 2 * _MODE_PX + _GAP_PX
        axes = _axes(figure, _LEFT_PX + modes_px + 50 * bool(columns), _TOP_PX, _PLACES_PX, side)
        _add_arrows(axes, refinement.places_before_px, refinement.places_after_px)
    return save(figure, path)


def _probes(refinement: Refinement) -> list[tuple[str, np.ndarray]]:
    named = (("before", refinement.before), ("after", refinement.after))
    rows = [(name, probe) for name, probe in named if probe is not None]
    for name, probe in rows:
        require_axes(f"probe {name}", probe, "P N N", kind="complex")
    return rows


def _axes(figure: Figure, left: int, top: int, width: int, height: int) -> Axes:
    """Add axes at a place in picture pixels, y down."""
    whole_width, whole_height = figure.get_size_inches() * figure.dpi
    bottom = whole_height - top - height
    axes = figure.add_axes(
        (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
    )
    set_ink(axes)
    return axes


def _add_modes(figure: Figure, name: str, probe: np.ndarray, row: int) -> None:
    shares = power_shares(probe)
    view = View.of(np.ones(probe.shape[1:], dtype=np.float32), _MODE_PX)
    top = _TOP_PX + row * (_MODE_PX + _GAP_PX)
    for column, mode in enumerate(np.argsort(-shares, kind="stable")[:MOST_MODES]):
        axes = _axes(figure, _LEFT_PX + column * (_MODE_PX + 10), top, _MODE_PX, _MODE_PX)
        axes.imshow(mode_colours(probe[mode], view), interpolation="nearest", origin="upper")
        hide_ticks(axes)
        title = f"mode {mode + 1}: {share_in_words(shares[mode])}"
        axes.set_title(title, color=INK, fontsize=TEXT_PT, loc="left", pad=5)
        if column == 0:
            axes.set_ylabel(f"probe {name}", color=INK, fontsize=TEXT_PT)


def _add_arrows(axes: Axes, before: np.ndarray, after: np.ndarray) -> None:
    count = require_axes("positions before", before, "K 2", kind="real")["K"]
    require_axes("positions after", after, "K 2", kind="real", K=count)
    moves = after - before
    length = np.linalg.norm(moves, axis=1)
    every = max(1, math.ceil(count / _MOST_ARROWS))
    extent = float(np.ptp(before, axis=0).max()) or 1.0
    spacing = extent / math.sqrt(max(1, count / every))
    magnified = _magnification(spacing, float(np.percentile(length, 90)))
    y, x = before[::every].T
    dy, dx = moves[::every].T
    axes.plot(x, y, linestyle="none", marker="o", markersize=1.5, color=INK, markeredgewidth=0)
    axes.quiver(
        x, y, dx * magnified, dy * magnified, angles="xy", scale_units="xy", scale=1, color=_ARROW,
        width=0.0025,
    )  # fmt: skip
    (top, left), (bottom, right) = before.min(axis=0), before.max(axis=0)
    margin = 0.06 * extent
    axes.set(xlim=(left - margin, right + margin), ylim=(bottom + margin, top - margin))
    axes.set_aspect("equal", adjustable="box", anchor="NW")
    axes.set_xlabel("x (px)", color=INK, fontsize=TEXT_PT)
    axes.set_ylabel("y (px)", color=INK, fontsize=TEXT_PT)
    rms = math.sqrt(float((length**2).mean()))
    said = f"positions moved by {rms:.2f} px rms, {float(length.max()):.2f} px at most"
    drawn = f"arrows x {magnified}" + ("" if every == 1 else f", one in {every} drawn")
    axes.set_title(f"{said}\n{drawn}", color=INK, fontsize=SMALL_PT + 1, loc="left", pad=5)


def _magnification(spacing_px: float, typical_px: float) -> int:
    """Return the largest round factor that keeps most arrows within the distance of two dots."""
    fitting = [m for m in _MAGNIFICATIONS if m * typical_px <= 1.2 * spacing_px]
    return fitting[-1] if fitting else 1
