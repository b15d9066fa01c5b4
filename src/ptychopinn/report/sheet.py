"""A figure of equal panels in which every image pixel is a whole number of picture pixels."""

import math
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from ptychopinn.io import replacing

#: No picture is wider or higher than this.
LARGEST_PX = 2048
#: Small images are enlarged until an inch of the figure has at least this many pixels.
LEAST_DPI = 120

#: Text and lines.
INK = "#202020"
#: Pixels about which nothing is known.
NEUTRAL = "#9c9c9c"
TEXT_PT = 10.0
SMALL_PT = 8.5

#: A panel is at least this share of its longer side wide and high, however narrow its image.
_LEAST_SHARE = 0.35
_BAR_GAP_IN = 0.1
_BAR_IN = 0.16


@dataclass(frozen=True)
class Layout:
    """Where panels stand, in inches; text keeps its size, pixels per inch follow the image."""

    panel_in: float
    """Longer side of every panel."""
    left_in: tuple[float, ...] = (0.75,)
    """Space to the left of the panels of each column, for ticks."""
    right_in: tuple[float, ...] = (1.0,)
    """Space to the right of the panels of each column, for a colour bar."""
    rows: int = 1
    """Rows of panels."""
    top_in: float = 0.35
    """Space above the panels of each row, for titles."""
    bottom_in: float = 0.55
    """Space below the panels of each row, for ticks."""
    header_in: float = 0.0
    """Space above everything."""
    footer_in: float = 0.0
    """Space below everything."""
    shares: tuple[float, float] = (1.0, 1.0)
    """Height and width of the images as shares of the longer side, where they are known."""

    @property
    def columns(self) -> int:
        """Columns of panels."""
        return len(self.left_in)

    @property
    def most_px(self) -> int:
        """Longer side, in pixels, of the largest image that fits pixel by pixel."""
        tall, wide = (self.panel_in * max(share, _LEAST_SHARE) for share in self.shares)
        width = self.columns * wide + sum(self.left_in) + sum(self.right_in)
        height = self.rows * (tall + self.top_in + self.bottom_in)
        longest = max(width, height + self.header_in + self.footer_in)
        return math.floor(LARGEST_PX * self.panel_in / longest)

    def readable_zoom(self, longest: int) -> int:
        """Return the picture pixels for an image pixel that make text sharp enough to read.

        Args:
            longest: Longer side of the image in pixels.
        """
        return max(1, math.ceil(LEAST_DPI * self.panel_in / longest))


class Sheet:
    """The figure of a layout for images of one size, without images yet."""

    def __init__(self, layout: Layout, shape: tuple[int, int]) -> None:
        self._layout = layout
        longest = max(shape)
        zoom = layout.readable_zoom(longest)
        if zoom * longest > layout.most_px:
            zoom = max(1, layout.most_px // longest)
        self.zoom = zoom
        """Picture pixels for an image pixel, along each axis."""
        self.dpi = zoom * longest / layout.panel_in
        """Picture pixels in an inch."""
        self._image = (shape[0] * zoom, shape[1] * zoom)
        least = round(_LEAST_SHARE * longest * zoom)
        self._cell = (max(self._image[0], least), max(self._image[1], least))
        self.size_px = self._size()
        """Width and height of the picture."""
        self.figure = blank_figure(*self.size_px, self.dpi)

    def panel(self, row: int = 0, column: int = 0) -> Axes:
        """Add the axes of an image, in the middle of its cell."""
        left, top = self._corner(row, column)
        height, width = self._image
        left += (self._cell[1] - width) // 2
        top += (self._cell[0] - height) // 2
        return self._axes(left, top, width, height)

    def bar(self, row: int = 0, column: int = 0) -> Axes:
        """Add the axes of a colour bar to the right of a panel, as high as its cell."""
        left, top = self._corner(row, column)
        left += self._cell[1] + self.px(_BAR_GAP_IN)
        return self._axes(left, top, self.px(_BAR_IN), self._cell[0])

    def square(self, row: int, column: int, side_in: float) -> Axes:
        """Add small square axes to the right of a panel, at its top."""
        left, top = self._corner(row, column)
        left += self._cell[1] + self.px((self._layout.right_in[column] - side_in) / 2)
        return self._axes(left, top, self.px(side_in), self.px(side_in))

    def title(self, text: str, row: int = 0, column: int = 0) -> None:
        """Write above a panel, from its left edge."""
        left, top = self._corner(row, column)
        self.write(text, left, top - self.px(0.09), TEXT_PT + 1, valign="bottom")

    def note(self, text: str) -> None:
        """Write small letters at the bottom, at the left edge of the panels."""
        low = self.size_px[1] - self.px(0.08)
        self.write(text, self.px(self._layout.left_in[0]), low, SMALL_PT, valign="bottom")

    def header(self, text: str) -> None:
        """Write small letters at the top, at the left edge of the panels."""
        left = self.px(self._layout.left_in[0])
        self.write(text, left, self.px(0.1), SMALL_PT, valign="top")

    def write(self, text: str, left: int, top: int, points: float, *, valign: str) -> None:
        """Write at a place in picture pixels, y down."""
        width, height = self.size_px
        self.figure.text(
            left / width, 1 - top / height, text, color=INK, fontsize=points, va=valign, ha="left",
            parse_math=False,
        )  # fmt: skip

    def px(self, inches: float) -> int:
        """Return whole picture pixels."""
        return round(inches * self.dpi)

    def save(self, path: Path) -> Path:
        """Write the PNG file, whole or not at all, and return its path."""
        return save(self.figure, path)

    def _size(self) -> tuple[int, int]:
        layout = self._layout
        width = sum(self.px(side) for side in layout.left_in + layout.right_in)
        height = layout.rows * (self.px(layout.top_in) + self.px(layout.bottom_in))
        height += self.px(layout.header_in) + self.px(layout.footer_in)
        return width + layout.columns * self._cell[1], height + layout.rows * self._cell[0]

    def _corner(self, row: int, column: int) -> tuple[int, int]:
        """Return left and top of a cell in picture pixels, y down."""
        layout = self._layout
        before = layout.left_in[: column + 1] + layout.right_in[:column]
        left = sum(self.px(side) for side in before) + column * self._cell[1]
        above = self.px(layout.top_in) + self._cell[0] + self.px(layout.bottom_in)
        return left, self.px(layout.header_in) + row * above + self.px(layout.top_in)

    def _axes(self, left: int, top: int, width: int, height: int) -> Axes:
        whole_width, whole_height = self.size_px
        bottom = whole_height - top - height
        axes = self.figure.add_axes(
            (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
        )
        set_ink(axes)
        return axes


def blank_figure(width_px: int, height_px: int, dpi: float) -> Figure:
    """Return an empty figure of a size in picture pixels."""
    # Half a hundredth of a pixel more, because the canvas rounds its size down.
    figure = Figure(((width_px + 0.005) / dpi, (height_px + 0.005) / dpi), dpi, facecolor="white")
    figure.set_layout_engine("none")
    return figure


def set_ink(axes: Axes) -> None:
    """Set colours and sizes of axes, whatever the user's own matplotlib style says."""
    axes.set_facecolor("white")
    axes.grid(visible=False)
    axes.tick_params(colors=INK, labelsize=SMALL_PT, width=0.6, length=3)
    for spine in axes.spines.values():
        spine.set(color=INK, linewidth=0.6)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=INK, fontsize=TEXT_PT)


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, whole or not at all, and return the path."""
    for text in figure.findobj(Text):  # a user's style may want TeX, to which % is a comment
        text.set_usetex(False)
    with replacing(path) as beside:
        FigureCanvasAgg(figure).print_png(beside)
    return path
