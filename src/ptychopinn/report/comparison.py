"""The picture of a comparison: an image, its reference, and what is different."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ptychopinn.axes import require_axes
from ptychopinn.errors import DataError
from ptychopinn.evaluation import Region, align
from ptychopinn.report.contrast import (
    ColourScale,
    amplitude_scale,
    difference_scale,
    phase_scale,
)
from ptychopinn.report.panel import add_colour_bar, add_scale_bar, explain, label_pixels, show
from ptychopinn.report.phase import PhaseFrame, phasor
from ptychopinn.report.sheet import Layout, Sheet
from ptychopinn.report.view import WELL_COVERED, View, largest

_TITLES = ("reconstruction", "reference", "difference")
_LINE_IN = 0.16


@dataclass(frozen=True)
class _Row:
    """One quantity of an image and its reference, as (h, w) blocks of the view."""

    name: str
    image: np.ndarray
    reference: np.ndarray
    difference: np.ndarray
    scale: ColourScale
    unit: str


def draw_comparison(
    object: np.ndarray,
    reference: np.ndarray,
    coverage: np.ndarray,
    path: Path,
    *,
    region: str | Region = "all",
    text: str = "",
    pixel_size_m: float | None = None,
) -> Path:
    """Draw a reconstruction next to its reference, and the difference; amplitude above phase.

    The reconstruction is aligned first (shift, phase ramp, complex factor: `evaluation.align`, on
    the well-covered pixels of the region); what was removed stands below the picture. Image and
    reference share their colours.

    Args:
        object: (H, W) complex; aligned or not.
        reference: (H, W) complex, on the same canvas.
        coverage: (H, W) real, illumination of any scale.
        path: PNG file to write.
        region: What to compare, as `Region.parse` reads it: ``all`` or ``y:250:400,x:90:390``.
        text: Lines that stand above the picture, such as metrics.
        pixel_size_m: Side of a canvas pixel in metres, for a scale bar.

    Raises:
        ShapeError: The arrays differ in size, or an image is not complex.
        ConfigError: The region is not understood or reaches beyond the canvas.
        OutputError: The file cannot be written.

    The alignment needs the region at full resolution, some 200 bytes for each of its pixels.
    Tested: tests/report/test_comparison.py.
    """
    sizes = require_axes("reference", reference, "H W", kind="complex")
    require_axes("object", object, "H W", kind="complex", **sizes)
    require_axes("coverage", coverage, "H W", kind="real", **sizes)
    wanted = Region.parse(region) if isinstance(region, str) else region
    layout = _layout(text)
    view = View.of(coverage, layout.most_px, wanted.slices(coverage.shape))
    ours, theirs = (_finite_or_nan(wave[view.box]) for wave in (object, reference))
    aligned, done = _aligned(ours, theirs, _weight(coverage, view))
    sheet = Sheet(layout, view.shape)
    rows = (_amplitude_row(aligned, theirs, view), _phase_row(aligned, theirs, view))
    for number, row in enumerate(rows):
        _add_row(sheet, number, row, view, pixel_size_m)
    sheet.header(text)
    sheet.note("\n".join(line for line in (done, explain(view)) if line))
    return sheet.save(path)


def _layout(text: str) -> Layout:
    lines = len(text.splitlines())
    return Layout(
        panel_in=3.0,
        left_in=(0.7, 0.12, 0.12),
        right_in=(0.0, 0.9, 0.95),
        rows=2,
        top_in=0.32,
        bottom_in=0.25,
        header_in=0.15 + _LINE_IN * lines if lines else 0.0,
        footer_in=0.6,
    )


def _finite_or_nan(wave: np.ndarray) -> np.ndarray:
    """Replace infinity, which products would turn into warnings, by NaN."""
    return np.where(np.isfinite(wave), wave, np.nan)


def _weight(coverage: np.ndarray, view: View) -> np.ndarray:
    """Return 1 where pixels of the view are well covered; everywhere when none is."""
    covered = coverage[view.box] > WELL_COVERED * largest(coverage)
    covered &= np.isfinite(coverage[view.box])
    return (covered if covered.any() else np.ones_like(covered)).astype(np.float32)


def _aligned(
    image: np.ndarray, reference: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, str]:
    """Return the aligned image and the sentence that says what was removed."""
    counted = weight * np.isfinite(image) * np.isfinite(reference)
    try:
        found = align(image, reference, counted)
    except DataError as error:
        return image, f"not aligned: {error}"
    (down, right), (ramp_y, ramp_x) = found.shift_px, found.ramp_rad_per_px
    known = np.where(np.isfinite(image), found.image, np.nan)
    said = (
        f"removed: shift ({down:.2f}, {right:.2f}) px; ramp ({ramp_y:.2g}, {ramp_x:.2g}) rad/px; "
        f"factor {abs(found.factor):.4g} at {np.angle(found.factor):.3g} rad"
    )
    return known, f"{said}; {found.note}" if found.note else said


def _amplitude_row(image: np.ndarray, reference: np.ndarray, view: View) -> _Row:
    first, second = (view.mean_of_part(wave, np.abs) for wave in (image, reference))
    scale = amplitude_scale(*_both(first, second, view))
    return _Row("amplitude", first, second, first - second, scale, "no unit")


def _phase_row(image: np.ndarray, reference: np.ndarray, view: View) -> _Row:
    """Cut the circle as suits the reference; the image may go beyond the cut rather than wrap."""
    first, second, relative = (
        view.mean_of_part(wave, phasor) for wave in (image, reference, image * np.conj(reference))
    )
    frame = PhaseFrame.of(second[view.well_covered])
    phase, difference = frame.phase(second), np.angle(relative)
    ours = frame.phase(first) if frame.cyclic else phase + difference
    scale = phase_scale(*_both(ours, phase, view), cyclic=frame.cyclic)
    return _Row("phase", ours, phase, difference, scale, "rad")


def _both(first: np.ndarray, second: np.ndarray, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of two images, and which of them count, as one pair of arrays."""
    return np.stack([first, second]), np.stack([view.well_covered] * 2)


def _add_row(sheet: Sheet, number: int, row: _Row, view: View, pixel_size_m: float | None) -> None:
    apart = difference_scale(row.difference, view.well_covered, row.unit)
    panels = ((row.image, row.scale), (row.reference, row.scale), (row.difference, apart))
    for column, (values, scale) in enumerate(panels):
        axes = sheet.panel(number, column)
        image = show(axes, values, view, scale)
        label_pixels(axes, x=number == 1, y=column == 0)
        sheet.title(f"{row.name}, {_TITLES[column]}", number, column)
        if column:
            add_colour_bar(sheet.bar(number, column), image, scale)
        else:
            add_scale_bar(axes, view, pixel_size_m)
