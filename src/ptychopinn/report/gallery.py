"""Several images of one object beside its truth, a row for each quantity or situation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from ptychopinn.axes import require_axes
from ptychopinn.report.contrast import ColourScale, amplitude_scale, phase_scale
from ptychopinn.report.panel import add_colour_bar, hide_ticks, show
from ptychopinn.report.phase import PhaseFrame, phasor
from ptychopinn.report.sheet import INK, LEAST_DPI, TEXT_PT, Layout, Sheet, blank_figure, save
from ptychopinn.report.view import View

#: Inches of a panel's longer side.
_PANEL_IN = 1.9
#: Inches for the names of the rows.
_NAME_IN = 1.0


@dataclass(frozen=True)
class GalleryRow:
    """One quantity of a reference and of images that are aligned with it."""

    name: str
    """Stands at the left edge."""
    quantity: Literal["amplitude", "phase"]
    reference: np.ndarray
    """(h, w) complex."""
    images: tuple[np.ndarray | None, ...]
    """(h, w) complex each; None leaves its panel empty."""
    weight: np.ndarray
    """(h, w) real, 0 where nothing is known; those pixels are grey."""


def draw_gallery(rows: Sequence[GalleryRow], columns: Sequence[str], path: Path) -> Path:
    """Draw rows of images; within a row all have the contrast of its reference.

    Where a row is too long for the picture, the images go on in further blocks of rows, each of
    them beside the reference again.

    Args:
        rows: From top to bottom; their images may differ in size from row to row.
        columns: Title of the reference and of every image.
        path: PNG file to write.

    Raises:
        ShapeError: Arrays of a row differ in size, or an image is not complex.
        OutputError: The file cannot be written.

    Tested: tests/report/test_gallery.py.
    """
    if not rows:
        return save(_nothing(), path)
    shape = (
        max(row.reference.shape[0] for row in rows),
        max(row.reference.shape[1] for row in rows),
    )
    blocks = _blocks(len(rows), len(columns) - 1, shape)
    layout = _layout(len(blocks) * len(rows), 1 + len(blocks[0]), shape)
    sheet = Sheet(layout, View.of(np.ones(shape), layout.most_px).shape)
    for block, chosen in enumerate(blocks):
        first = block * len(rows)
        for number, row in enumerate(rows, start=first):
            part = replace(row, images=tuple(row.images[image] for image in chosen))
            _add_row(sheet, number, _padded(part, shape), layout)
        for column, title in enumerate([columns[0], *(columns[1 + image] for image in chosen)]):
            sheet.title(title, first, column)
    return sheet.save(path)


def _blocks(rows: int, images: int, shape: tuple[int, int]) -> list[range]:
    """Share images out to blocks: as few as let text be read, or those that show most pixels.

    Args:
        rows: In a block.
        images: Beside the reference.
        shape: (h, w) of an image.
    """
    best, most = [range(images)], -1
    for count in range(1, max(1, images) + 1):
        length = math.ceil(images / count) if images else 0
        blocks = [range(start, min(start + length, images)) for start in range(0, images, length)]
        layout = _layout(count * rows, 1 + length, shape)
        shown = layout.most_px
        if shown >= layout.readable_zoom(max(shape)) * max(shape):
            return blocks or best
        if shown > most:
            best, most = blocks or best, shown
    return best


def _layout(rows: int, columns: int, shape: tuple[int, int]) -> Layout:
    height, width = shape
    return Layout(
        shares=(height / max(shape), width / max(shape)),
        panel_in=_PANEL_IN,
        left_in=(_NAME_IN, *[0.08] * (columns - 1)),
        right_in=(*[0.0] * (columns - 1), 0.95),
        rows=rows,
        top_in=0.3,
        bottom_in=0.02,
        footer_in=0.1,
    )


def _padded(row: GalleryRow, shape: tuple[int, int]) -> GalleryRow:
    """Put the arrays of a row into the upper left corner of the common shape."""
    sizes = require_axes(f"{row.name}: reference", row.reference, "H W", kind="complex")
    require_axes(f"{row.name}: weight", row.weight, "H W", kind="real", **sizes)

    def grown(array: np.ndarray) -> np.ndarray:
        missing = [(0, whole - part) for whole, part in zip(shape, array.shape, strict=True)]
        return np.pad(array, missing)

    for image in row.images:
        if image is not None:
            require_axes(f"{row.name}: image", image, "H W", kind="complex", **sizes)
    images = tuple(None if image is None else grown(image) for image in row.images)
    return GalleryRow(row.name, row.quantity, grown(row.reference), images, grown(row.weight))


def _add_row(sheet: Sheet, number: int, row: GalleryRow, layout: Layout) -> None:
    view = View.of(np.ones_like(row.weight), layout.most_px)
    known = view.mean(row.weight) > 0.5
    panels, scale = _panels(row, view, known)
    for column, values in enumerate(panels):
        axes = sheet.panel(number, column)
        hide_ticks(axes)
        if values is None:
            axes.set_axis_off()
            continue
        shown = show(axes, np.where(known, values, np.nan), view, scale)
        if column == 0:
            name = row.name.replace("-", "\n")
            axes.set_ylabel(name, color=INK, fontsize=TEXT_PT, rotation=0, ha="right", va="center")
            add_colour_bar(sheet.bar(number, len(panels) - 1), shown, scale)


def _panels(
    row: GalleryRow, view: View, known: np.ndarray
) -> tuple[list[np.ndarray | None], ColourScale]:
    """Return the values of reference and images, and the colours that suit the reference."""
    if row.quantity == "amplitude":
        reference = view.mean(row.reference, np.abs)
        images = [None if image is None else view.mean(image, np.abs) for image in row.images]
        return [reference, *images], replace(amplitude_scale(reference, known), label="")
    waves = view.mean(row.reference, phasor)
    frame = PhaseFrame.of(waves[known])
    phase = frame.phase(waves)
    images = [
        None if image is None else _phase_near(view.mean(image, phasor), waves, phase, frame)
        for image in row.images
    ]
    scale = phase_scale(phase, known, cyclic=frame.cyclic)
    return [phase, *images], replace(scale, label="rad")


def _phase_near(
    waves: np.ndarray, reference: np.ndarray, phase: np.ndarray, frame: PhaseFrame
) -> np.ndarray:
    """Return the phase of an image, which may go beyond the cut of the circle rather than wrap."""
    if frame.cyclic:
        return frame.phase(waves)
    return phase + np.angle(waves * np.conj(reference))


def _nothing() -> Figure:
    figure = blank_figure(480, 180, LEAST_DPI)
    figure.text(
        0.5, 0.5, "no image was made", ha="center", va="center", color=INK, fontsize=TEXT_PT
    )
    return figure
