"""A scan in metres, for formats that know no pixels: nominal where the scan does not know."""

from dataclasses import dataclass

import numpy as np

from ptychopinn.scan import Scan

#: A scan knows the size of its object pixels but no detector; this stands for its pixel.
NOMINAL_DETECTOR_PIXEL_M = 75e-6
#: Stand for what is not known; every reader still finds the right pixels.
NOMINAL_PIXEL_M = 1e-8
NOMINAL_WAVELENGTH_M = 1e-10
#: Between these the detector stands, so that readers find the distance plausible.
_LEAST_DISTANCE_M, _MOST_DISTANCE_M = 0.01, 1e3


@dataclass(frozen=True)
class MetricScan:
    """Lengths of a scan, all finite, that give its pixels back."""

    pixel_m: float
    wavelength_m: float
    distance_m: float
    """z = dx N p / wavelength, with the detector pixel p."""
    detector_pixel_m: float
    positions_m: np.ndarray
    """(K, 2) float64 (y, x) of the probe on the object, from the middle of the scan."""
    origin_px: np.ndarray
    """(2,) canvas pixel (y, x) of the position 0 m."""


def in_metres(scan: Scan) -> MetricScan:
    """Return the lengths of a scan; nominal ones where it knows none."""
    # An object pixel is no smaller than half a wavelength; what is nominal keeps to that.
    pixel = scan.pixel_size_m or max(NOMINAL_PIXEL_M, scan.wavelength_m or 0.0)
    wavelength = scan.wavelength_m or min(NOMINAL_WAVELENGTH_M, pixel)
    positions = np.asarray(scan.positions_px, dtype=np.float64)
    # Where the wavelength is nearly an object pixel, larger detector pixels keep the detector off
    # the sample; where it is far smaller, smaller ones keep it in the building.
    reach = wavelength / (scan.n * pixel)
    detector_pixel = max(NOMINAL_DETECTOR_PIXEL_M, _LEAST_DISTANCE_M * reach)
    detector_pixel = min(detector_pixel, _MOST_DISTANCE_M * reach)
    origin = np.round((positions.min(axis=0) + positions.max(axis=0)) / 2)
    return MetricScan(
        pixel_m=pixel,
        wavelength_m=wavelength,
        distance_m=detector_pixel / reach,
        detector_pixel_m=detector_pixel,
        positions_m=(positions - origin) * pixel,
        origin_px=origin,
    )
