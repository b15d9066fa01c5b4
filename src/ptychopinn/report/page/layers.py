"""Arrays as a page holds them: packed numbers that the browser turns into colours."""

import base64
import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ptychopinn.report.view import View

#: Values are stored as 0 ... 65534; this number stands for a pixel that is not shown.
_MISSING = 65535
_STEPS = 65534
#: The sliders reach this share of the contrast's range beyond it, as far as there are values.
_SLIDER_MARGIN = 0.6


@dataclass(frozen=True)
class Frame:
    """Where the pixels of a picture lie on the canvas (or detector) that they come from."""

    left: float
    """Left edge in canvas pixels; pixel centres lie at integers."""
    top: float
    """Top edge."""
    factor: float = 1.0
    """Side of a picture pixel in canvas pixels."""
    pixel_m: float | None = None
    """Side of a canvas pixel in metres, when known."""
    unit: str = "px"
    """What positions are counted in where no length is known."""

    @classmethod
    def of(cls, view: View, pixel_m: float | None, unit: str = "px") -> Self:
        """Return the frame of a view."""
        left, _, _, top = view.extent
        return cls(left, top, float(view.factor), pixel_m, unit)


@dataclass(frozen=True)
class Contrast:
    """Colours at the start, which the reader of the page may change."""

    low: float
    high: float
    map: str
    """Name of a colour map of `colours.MAPS`."""
    choices: tuple[str, ...] = ()
    """Other maps that make sense."""
    shared: str = ""
    """Pictures with the same word here change their contrast together."""


@dataclass(frozen=True)
class Dots:
    """Marks over a picture, one for each scan position."""

    positions_px: np.ndarray
    """(J, 2) (y, x) in canvas pixels."""
    numbers: np.ndarray
    """(J,) numbers of the patterns."""
    reach_px: float
    """The cursor finds a mark from this far away, in canvas pixels."""
    values: np.ndarray | None = None
    """(J,) numbers that are told of the mark under the cursor."""
    halo_px: float = 0.0
    """Diameter of the circle around that mark, such as the probe's; 0 = a small one."""


@dataclass(frozen=True)
class Layer:
    """One picture of a page."""

    name: str
    """Unique on the page."""
    values: np.ndarray
    """(h, w) real, NaN where nothing is known."""
    frame: Frame
    contrast: Contrast
    label: str
    """What the values are, such as ``phase``."""
    unit: str = ""
    """Unit of the values."""
    alt: str = ""
    """What the picture shows, for readers who cannot see it."""
    angle: np.ndarray | None = None
    """(h, w) real, rad; where given, values are moduli and this is the hue."""
    marked: tuple[tuple[np.ndarray, str, str], ...] = ()
    """((h, w) bool, colour, meaning) of pixels that are painted over."""
    dots: Dots | None = None
    logarithmic: bool = False
    """True when values are logarithms to base 10 of what the reader is told."""
    link: str = ""
    """Pictures with the same word here are moved and magnified together."""

    def packed(self) -> dict[str, Any]:
        """Return plain JSON values; arrays as little-endian numbers in base 64."""
        height, width = self.values.shape
        data, low, step = quantised(self.values)
        return {
            "width": width,
            "height": height,
            "data": as_text(data),
            "first": low,
            "step": step,
            "frame": vars(self.frame),
            "contrast": vars(self.contrast) | {"range": slider_range(self.values, self.contrast)},
            "label": self.label,
            "unit": self.unit,
            "log": self.logarithmic,
            "link": self.link or self.name,
            "angle": None if self.angle is None else as_text(as_turns(self.angle)),
            "marks": as_text(_marks(self.marked, (height, width))) if self.marked else None,
            "markColours": [colour for _, colour, _ in self.marked],
            "markNames": [name for _, _, name in self.marked],
            "dots": None if self.dots is None else _packed_dots(self.dots),
        }


def quantised(values: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return (h, w) uint16 numbers q with value = first + q * step, and first and step.

    The error is at most half of (max - min) / 65534; what is not finite becomes 65535.
    """
    finite = np.isfinite(values)
    low = float(np.min(values, where=finite, initial=math.inf))
    high = float(np.max(values, where=finite, initial=-math.inf))
    if not low < high:
        low, high = (low, low + 1.0) if math.isfinite(low) else (0.0, 1.0)
    step = (high - low) / _STEPS
    scaled = np.rint((np.where(finite, values, low) - low) / step)
    return np.where(finite, scaled, _MISSING).astype("<u2"), low, step


def as_turns(angle: np.ndarray) -> np.ndarray:
    """Return angles as uint8 parts of a turn, 0 at 0 rad; what is not finite becomes 0."""
    turns = np.nan_to_num(angle) / (2 * np.pi)
    return (np.rint(turns * 256).astype(np.int64) % 256).astype(np.uint8)


def slider_range(values: np.ndarray, contrast: Contrast) -> tuple[float, float]:
    """Return the lowest and highest value that the sliders reach."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return contrast.low, contrast.high
    margin = _SLIDER_MARGIN * (contrast.high - contrast.low)
    low = min(contrast.low, max(float(finite.min()), contrast.low - margin))
    high = max(contrast.high, min(float(finite.max()), contrast.high + margin))
    return low, high


def as_text(values: np.ndarray) -> str:
    """Return the bytes of an array in base 64."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _marks(marked: tuple[tuple[np.ndarray, str, str], ...], shape: tuple[int, int]) -> np.ndarray:
    numbers = np.zeros(shape, dtype=np.uint8)
    for number, (where, _, _) in enumerate(marked, start=1):
        numbers[where] = number
    return numbers


def _packed_dots(dots: Dots) -> dict[str, Any]:
    return {
        "x": as_text(dots.positions_px[:, 1].astype("<f4")),
        "y": as_text(dots.positions_px[:, 0].astype("<f4")),
        "numbers": as_text(dots.numbers.astype("<u4")),
        "values": None if dots.values is None else as_text(dots.values.astype("<f4")),
        "reach": dots.reach_px,
        "halo": dots.halo_px,
    }
