"""Colour maps as a page holds them: 256 colours each, and the hues of complex numbers."""

from collections.abc import Iterable

import matplotlib
import numpy as np

from ptychopinn.report.colour import complex_colours
from ptychopinn.report.page.layers import as_text

#: Name on the page -> name in matplotlib.
MAPS = {
    "grey": "gray",
    "bone": "bone",
    "viridis": "viridis",
    "magma": "magma",
    "inferno": "inferno",
    "twilight": "twilight_shifted",
    "red-blue": "RdBu_r",
}
#: Maps whose ends meet, for angles.
CYCLIC = ("twilight", "hue")
_COLOURS = 256


def colour_maps(names: Iterable[str]) -> dict[str, str]:
    """Return (256, 3) uint8 colours of the named maps, in base 64."""
    return {name: as_text(_colours(name)) for name in sorted(set(names))}


def _colours(name: str) -> np.ndarray:
    """Return (256, 3) uint8, sRGB."""
    if name == "hue":
        turns = np.arange(_COLOURS) / _COLOURS * 2 * np.pi - np.pi
        colours = complex_colours(np.ones(_COLOURS), turns)
    else:
        colours = matplotlib.colormaps[MAPS[name]](np.linspace(0, 1, _COLOURS))[:, :3]
    return np.rint(colours * 255).astype(np.uint8)


def linear_hues() -> str:
    """Return (256, 3) float32 linear red, green, blue of modulus 1 by phase, in base 64.

    In `complex_colours` the three grow with the third power of the modulus, so that a page colours
    complex numbers by modulus^3 * hue and one table of gamma.
    """
    turns = np.arange(_COLOURS) / _COLOURS * 2 * np.pi
    srgb = complex_colours(np.ones(_COLOURS), turns)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return as_text(linear.astype("<f4"))
