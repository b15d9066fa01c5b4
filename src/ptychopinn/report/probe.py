"""The picture of the probe: its modes side by side, complex numbers as colours."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from ptychopinn.axes import require_axes
from ptychopinn.report.colour import complex_colours
from ptychopinn.report.panel import CIRCLE, add_scale_bar, label_pixels
from ptychopinn.report.sheet import INK, NEUTRAL, SMALL_PT, Layout, Sheet
from ptychopinn.report.view import View

#: More modes than this are not drawn: the rest holds next to no light.
MOST_MODES = 12
_MOST_COLUMNS = 4
_WHEEL_IN = 0.7
#: The brightest pixel of a mode may be a hot one; this percentile of moduli gets full colour.
_FULL_PERCENTILE = 99.9


def draw_probe(probe: np.ndarray, path: Path, pixel_size_m: float | None = None) -> Path:
    """Draw the modes of a probe with amplitude as brightness and phase as hue.

    Each mode has a brightness of its own; the title gives its share of the power. Of more than 12
    modes the strongest are drawn.

    Args:
        probe: (P, N, N) complex.
        path: PNG file to write.
        pixel_size_m: Side of a pixel in metres, for a scale bar.

    Raises:
        ShapeError: The probe is not complex or has another rank.
        OutputError: The file cannot be written.

    Tested: tests/report/test_probe.py.
    """
    require_axes("probe", probe, "P N N", kind="complex")
    shares = power_shares(probe)
    drawn = np.sort(np.argsort(-shares, kind="stable")[:MOST_MODES])
    layout = _layout(len(drawn))
    view = View.of(np.ones(probe.shape[1:], dtype=np.float32), layout.most_px)
    sheet = Sheet(layout, view.shape)
    for place, mode in enumerate(drawn):
        row, column = divmod(place, layout.columns)
        axes = sheet.panel(row, column)
        _show(axes, mode_colours(probe[mode], view), view.extent)
        label_pixels(axes, x=place + layout.columns >= len(drawn), y=column == 0)
        sheet.title(f"mode {mode + 1}: {share_in_words(shares[mode])} of the power", row, column)
    add_scale_bar(sheet.figure.axes[0], view, pixel_size_m)
    _add_wheel(sheet.square(0, layout.columns - 1, _WHEEL_IN))
    sheet.note(_explain(len(probe), len(drawn)))
    return sheet.save(path)


def power_shares(probe: np.ndarray) -> np.ndarray:
    """Return (P,) shares of sum |p|^2 over finite pixels; zeros when there is no power."""
    powers = np.array(
        [np.sum(np.abs(mode, dtype=np.float64) ** 2, where=np.isfinite(mode)) for mode in probe]
    )
    total = powers.sum()
    return powers / total if total > 0 else powers


def share_in_words(share: float) -> str:
    """Return a share as per cent, with more decimals when it is small."""
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    return f"{100 * share:.2f} %" if share < 0.01 else f"{100 * share:.1f} %"


def _layout(modes: int) -> Layout:
    columns = min(modes, _MOST_COLUMNS)
    return Layout(
        panel_in={1: 4.5, 2: 3.6}.get(columns, 2.7),
        left_in=(0.75,) + (0.12,) * (columns - 1),
        right_in=(0.12,) * (columns - 1) + (1.35,),
        rows=-(-modes // columns),
        bottom_in=0.55,
        footer_in=0.22,
    )


def mode_colours(mode: np.ndarray, view: View) -> np.ndarray:
    """Return (h, w, 3) colours of a mode, neutral where it is not finite."""
    wave = view.mean(mode)
    modulus = np.abs(wave)
    known = np.isfinite(modulus)
    full = float(np.percentile(modulus[known], _FULL_PERCENTILE)) if known.any() else 0.0
    full = full or float(np.max(modulus, where=known, initial=0.0)) or 1.0
    colours = complex_colours(
        np.where(known, modulus / full, 0), np.where(known, np.angle(wave), 0)
    )
    return np.where(known[..., None], colours, to_rgb(NEUTRAL))


def _show(axes: Axes, colours: np.ndarray, extent: tuple[float, float, float, float]) -> None:
    """Show (h, w, 3|4) colours as they are, first row at the top."""
    axes.imshow(colours, extent=extent, interpolation="nearest", origin="upper", aspect="auto")


def _add_wheel(axes: Axes) -> None:
    """Draw the legend: a disc with amplitude outwards and phase around, 0 on the right."""
    x, y = np.meshgrid(np.linspace(-1, 1, 201), np.linspace(1, -1, 201))
    radius = np.hypot(x, y)
    colours = complex_colours(radius, np.arctan2(y, x))
    opaque = np.clip((1 - radius) * 100 + 0.5, 0, 1)
    _show(axes, np.dstack([colours, opaque]), (-1, 1, -1, 1))
    axes.set_axis_off()
    for phase, text in list(CIRCLE.items())[1:]:
        place = 1.27 * np.cos(phase), 1.27 * np.sin(phase)
        axes.text(*place, text, ha="center", va="center", color=INK, fontsize=SMALL_PT)


def _explain(modes: int, drawn: int) -> str:
    said = "brightness: amplitude, each mode by itself; hue: phase" if modes > 1 else (
        "brightness: amplitude; hue: phase"
    )  # fmt: skip
    return said if modes == drawn else f"{said}; the {drawn} strongest of {modes} modes"
