"""Windows that fade to zero at the edge, so that Fourier transforms do not see the edge."""

import numpy as np
from scipy import ndimage


def hann_window(shape: tuple[int, int]) -> np.ndarray:
    """Return the separable Hann window of a rectangle, (H, W) float64 in (0, 1].

    w(y, x) = sin^2(pi (y + 1/2) / H) * sin^2(pi (x + 1/2) / W)
    """
    columns = [np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2 for size in shape]
    return np.outer(*columns)


def edge_taper(weight: np.ndarray, width_px: float) -> np.ndarray:
    """Return a weight that falls smoothly to zero towards the edge of its support.

    taper(r) = weight(r) * sin^2(pi/2 * min(1, d(r) / (width + 1)))

    with d the distance in pixels to the nearest pixel of weight 0; the array's border counts as
    such. Any support works: a rectangle, a ragged scan, one with holes.

    Args:
        weight: (H, W) real, >= 0.
        width_px: Over how many pixels the weight fades.
    """
    inside = np.pad(weight > 0, 1)
    distance = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
    return weight * np.sin(np.pi / 2 * np.minimum(1.0, distance / (width_px + 1))) ** 2
