"""A round length that fits into a picture."""

import math
from dataclasses import dataclass

#: The bar takes at most this share of the picture's width (and at least 0.4 of it).
LARGEST_SHARE = 0.3

_UNITS = {-12: "pm", -9: "nm", -6: "µm", -3: "mm", 0: "m"}


@dataclass(frozen=True)
class ScaleBar:
    """How long the bar is, and what is written on it."""

    length_m: float
    """1, 2 or 5 times a power of ten."""
    length_px: float
    """In canvas pixels."""
    label: str
    """For instance ``500 nm``."""


def scale_bar(width_px: float, pixel_size_m: float | None) -> ScaleBar | None:
    """Choose the longest round bar for a picture; None when the pixel size is not known.

    Args:
        width_px: Width of the picture in canvas pixels.
        pixel_size_m: Side of a canvas pixel; what is not a positive number counts as not known.
    """
    if pixel_size_m is None or not 0 < pixel_size_m < math.inf:
        return None
    most = LARGEST_SHARE * width_px * pixel_size_m * (1 + 1e-9)
    power = math.floor(math.log10(most))
    digit = next((digit for digit in (5, 2) if digit * 10.0**power <= most), 1)
    length = digit * 10.0**power
    unit = min(0, max(-12, 3 * (power // 3)))
    label = f"{digit * 10.0 ** (power - unit):g} {_UNITS[unit]}"
    return ScaleBar(length, length / pixel_size_m, label)
