"""An image in its panel: canvas pixels along the axes, a colour bar, a scale bar."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from ptychopinn.report.contrast import ColourScale
from ptychopinn.report.scalebar import scale_bar
from ptychopinn.report.sheet import INK, NEUTRAL, SMALL_PT, TEXT_PT, Sheet, set_ink
from ptychopinn.report.view import LEAST_SHOWN, View

_INCHES_PER_TICK = 0.45
#: What is written at these phases.
CIRCLE = {
    -np.pi: "\N{MINUS SIGN}π",
    -np.pi / 2: "\N{MINUS SIGN}π/2",
    0.0: "0",
    np.pi / 2: "π/2",
    np.pi: "π",
}


def show(axes: Axes, values: np.ndarray, view: View, scale: ColourScale) -> AxesImage:
    """Show (h, w) values of a view; NaN becomes neutral grey."""
    colours = colormaps[scale.colours].with_extremes(bad=NEUTRAL)
    return axes.imshow(
        np.ma.masked_invalid(values),
        cmap=colours,
        vmin=scale.low,
        vmax=scale.high,
        extent=view.extent,
        interpolation="nearest",
        origin="upper",
        aspect="auto",
    )


def label_pixels(axes: Axes, *, x: bool = True, y: bool = True) -> None:
    """Write canvas pixels along the axes, y down; without ticks where they are not wanted."""
    box, dpi = axes.bbox, axes.figure.dpi
    for axis, name, wanted, length_px in (
        (axes.xaxis, "x (px)", x, box.width),
        (axes.yaxis, "y (px)", y, box.height),
    ):
        most = max(1, min(6, int(length_px / dpi / _INCHES_PER_TICK)))
        axis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        if wanted:
            axis.set_label_text(name)
        else:
            axis.set_tick_params(length=0, labelbottom=False, labelleft=False)


def hide_ticks(axes: Axes) -> None:
    """Leave the frame only."""
    axes.set(xticks=[], yticks=[])


def add_colour_bar(axes: Axes, image: AxesImage, scale: ColourScale) -> None:
    """Fill axes with a colour bar; pointed ends stand for values beyond them."""
    bar = axes.figure.colorbar(image, cax=axes, extend=scale.clipped, extendfrac=0.03)
    bar.outline.set(edgecolor=INK, linewidth=0.6)
    if scale.low == -np.pi and scale.high == np.pi:
        bar.set_ticks(list(CIRCLE), labels=list(CIRCLE.values()))
    else:
        bar.formatter = ScalarFormatter(useOffset=False)
        bar.formatter.set_powerlimits((-2, 4))
        bar.locator = MaxNLocator(8, steps=[1, 2, 2.5, 5, 10])
        bar.update_ticks()
    set_ink(axes)
    axes.yaxis.get_offset_text().set(color=INK, fontsize=SMALL_PT)
    bar.set_label(scale.label, color=INK, fontsize=TEXT_PT)


def add_scale_bar(axes: Axes, view: View, pixel_size_m: float | None) -> None:
    """Draw a round length in the lower left corner, when the pixel size is known."""
    left, right, bottom, top = view.extent
    bar = scale_bar(right - left, pixel_size_m)
    if bar is None:
        return
    start, low = left + 0.04 * (right - left), bottom - 0.05 * (bottom - top)
    outline = [withStroke(linewidth=5, foreground="black")]
    axes.plot(
        [start, start + bar.length_px], [low, low], color="white", linewidth=3, marker="",
        solid_capstyle="butt", path_effects=outline, scalex=False, scaley=False,
    )  # fmt: skip
    axes.annotate(
        bar.label, (start, low), (0, 4), textcoords="offset points",
        ha="left", va="bottom", color="white", fontsize=TEXT_PT, fontweight="bold",
        path_effects=[withStroke(linewidth=2, foreground="black")],
    )  # fmt: skip


def add_image(
    sheet: Sheet,
    values: np.ndarray,
    view: View,
    scale: ColourScale,
    *,
    pixel_size_m: float | None = None,
) -> Axes:
    """Fill the only panel of a sheet with an image, ticks, colour bar and scale bar."""
    axes = sheet.panel()
    image = show(axes, values, view, scale)
    label_pixels(axes)
    add_colour_bar(sheet.bar(), image, scale)
    add_scale_bar(axes, view, pixel_size_m)
    return axes


def titled(name: str, view: View) -> str:
    """Return a title, which says so when there is nothing to see."""
    return name if view.shown.any() else f"{name}: nothing was lit"


def explain(view: View) -> str:
    """Return what must be known about a view lest its picture be misread."""
    said = []
    if not view.shown.all():
        said.append(f"grey: below {100 * LEAST_SHOWN:g} % of the largest illumination")
    if view.factor > 1:
        said.append(f"means of {view.factor} x {view.factor} px")
    return "; ".join(said)
