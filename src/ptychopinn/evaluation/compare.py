"""One call that compares a reconstruction with its reference, and the record it returns."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ptychopinn.axes import require_axes
from ptychopinn.errors import ConfigError, DataError, ShapeError
from ptychopinn.evaluation.align import Alignment, align
from ptychopinn.evaluation.frc import (
    THRESHOLDS,
    Crossing,
    RingCorrelation,
    crossing,
    fourier_ring_correlation,
)
from ptychopinn.evaluation.metrics import Metrics, measure
from ptychopinn.evaluation.paper import PaperMetrics, paper_metrics
from ptychopinn.evaluation.record import to_plain
from ptychopinn.evaluation.region import Region
from ptychopinn.evaluation.ssim import GAUSSIAN_WINDOW_PX
from ptychopinn.evaluation.weighting import as_weight, support_box


@dataclass(frozen=True)
class Comparison:
    """What two complex images have in common, and what was removed before looking."""

    image: np.ndarray = field(repr=False)
    """(h, w) complex128, the aligned image, cut to `box`."""
    reference: np.ndarray = field(repr=False)
    """(h, w) complex, cut to `box`."""
    weight: np.ndarray = field(repr=False)
    """(h, w) float64, how much each pixel of `box` counted."""
    region: str
    """What was asked for, as `Region.parse` reads it."""
    box: Region
    """What was compared: the smallest rectangle that holds every pixel that counts."""
    alignment: Alignment
    """The aligned canvas, and the shift, ramp and factor that were removed."""
    metrics: Metrics
    """The figures to compare work of this project by."""
    paper: PaperMetrics
    """The figures to hold against published tables."""
    frc: RingCorrelation
    """Ring correlation of the complex images."""
    crossings: dict[str, Crossing]
    """By threshold: ``half``, ``one_seventh``, ``half_bit``."""
    pixel_size_m: float | None = None
    """Side of a pixel in metres, when known."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values without the images; NaN and infinity become None."""
        return {
            "region": self.region,
            "box": str(self.box),
            "pixel_size_m": self.pixel_size_m,
            "removed": to_plain(self.alignment.to_dict()),
            "metrics": self.metrics.to_dict(),
            "paper": self.paper.to_dict(),
            "frc": {"curve": self.frc.to_dict(), "crossings": to_plain(self.crossings)},
        }


def compare(
    image: np.ndarray,
    reference: np.ndarray,
    weight: np.ndarray | None = None,
    region: str | Region = "all",
    pixel_size_m: float | None = None,
    *,
    register: bool = True,
    max_shift_px: float = 10.0,
    factor: Literal["complex", "phase"] = "complex",
) -> Comparison:
    """Align a complex image with its reference on a region, and measure what is left.

    Args:
        image: (H, W) complex.
        reference: (H, W) complex, on the same canvas.
        weight: (H, W) real >= 0 in the frame of the reference, such as the coverage of a scan;
            None counts all pixels the same. Inside the region, 0 leaves a pixel out.
        region: ``all``, or a box such as ``y:250:400,x:90:390`` in canvas pixels.
        pixel_size_m: Side of a pixel, for resolutions in metres.
        register: Whether to look for a shift; see `align`.
        max_shift_px: The longest shift that is believed; see `align`.
        factor: What of the global factor is removed, ``complex`` or ``phase``; see `align`.

    Raises:
        ShapeError: The arrays differ in size, an image is not complex, or less than 11 pixels are
            left along an axis.
        ConfigError: The region is not understood or reaches beyond the canvas, or the pixel size
            is not above 0.
        DataError: No weight inside the region; NaN or infinity there, or an image of zeros.

    Tested: tests/evaluation/test_compare.py.
    """
    if pixel_size_m is not None and not pixel_size_m > 0:
        raise ConfigError(f"pixel_size_m: expected metres above 0, got {pixel_size_m}.")
    wanted = Region.parse(region) if isinstance(region, str) else region
    sizes = require_axes("reference", reference, "H W", kind="complex")
    shape = (sizes["H"], sizes["W"])
    inside = as_weight(weight, shape) * wanted.mask(shape)
    if not inside.any():
        raise DataError(f"weight: 0 everywhere in region '{wanted}'; compare another region.")
    alignment = align(
        image, reference, inside, register=register, max_shift_px=max_shift_px, factor=factor
    )
    box = _box(alignment.weight)
    cut = box.slices(shape)
    parts = alignment.image[cut], reference[cut], alignment.weight[cut]
    curve = fourier_ring_correlation(*parts)
    return Comparison(
        *parts,
        region=str(wanted),
        box=box,
        alignment=alignment,
        metrics=measure(*parts),
        paper=paper_metrics(*parts),
        frc=curve,
        crossings={name: crossing(curve, name, pixel_size_m) for name in THRESHOLDS},
        pixel_size_m=pixel_size_m,
    )


def _box(weight: np.ndarray) -> Region:
    """Return the rectangle that holds every weight, large enough for the windows of the SSIMs."""
    y, x = support_box(weight)
    height, width = y.stop - y.start, x.stop - x.start
    if min(height, width) < GAUSSIAN_WINDOW_PX:
        raise ShapeError(
            f"region: expected at least {GAUSSIAN_WINDOW_PX} x {GAUSSIAN_WINDOW_PX} pixels to "
            f"compare, got {height} x {width}; widen the region or the weight."
        )
    return Region((y.start, y.stop), (x.start, x.stop))
